package jobs

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
)

// An ExplainedRerate is what one re-rate did to a call.
type ExplainedRerate struct {
	RunRef
	Before *RatedRef `json:"before"` // null: not known, see the note, or not rated before
	After  *RatedRef `json:"after"`  // null: the same; or it left
	Note   *string   `json:"note"`
}

// A RatedRef is a call's row in rated at some time.
type RatedRef struct {
	Period   string  `json:"period"`
	PostedAt string  `json:"posted_at"`
	Late     bool    `json:"late"`
	Table    *string `json:"price_table"`
	Version  *int64  `json:"price_version"`
	Rule     *int64  `json:"rule"`
	Credits  string  `json:"credits"`
	Held     *string `json:"held"`
}

func (r *ratedRow) ref() *RatedRef {
	if r == nil {
		return nil
	}
	ref := &RatedRef{
		Period: r.period, PostedAt: period.FormatInstant(r.postedAt), Late: r.late,
		Table: optionalText(r.table.String), Credits: plainDecimal(r.credits), Held: optionalText(r.held.String),
	}
	if r.version.Valid {
		ref.Version = &r.version.Int64
	}
	if r.rule.Valid {
		ref.Rule = &r.rule.Int64
	}
	return ref
}

// explainRerates lists the re-rates that the call went through, oldest first: those
// that replaced or wrote files of rated which had it. A file that one of them replaced
// may be gone from the store by now.
func (d *desk) explainRerates(ctx context.Context, out *CallExplanation) ([]ExplainedRerate, error) {
	list, state := []ExplainedRerate{}, d.mill.Lake.State()
	if !slices.ContainsFunc(state.Milestones(), func(run *lake.Run) bool { return run.Kind == lake.Rerate }) {
		return list, nil
	}
	runs, err := d.mill.Lake.Runs(ctx, 1, state.Head)
	if err != nil {
		return nil, err
	}
	files := map[string]lake.File{} // every file of rated that could have the call
	for _, run := range runs {
		var replaced, written []lake.File
		for _, path := range run.Replaced {
			if file, ok := files[path]; ok {
				replaced = append(replaced, file)
			}
		}
		for _, file := range within(ofTable(run.Files, lake.Rated), out.Call.time, out.Call.time.Add(time.Microsecond)) {
			files[file.Path] = file
			written = append(written, file)
		}
		if run.Kind != lake.Rerate || len(replaced) == 0 && len(written) == 0 {
			continue
		}
		before, goneBefore, err := d.ratedOnce(ctx, replaced, out)
		if err != nil {
			return nil, err
		}
		after, goneAfter, err := d.ratedOnce(ctx, written, out)
		if err != nil {
			return nil, err
		}
		note := ""
		switch {
		case goneBefore && before == nil, goneAfter && after == nil:
			note = "the files that could have held the call then are no longer in the lake"
		case before == nil && after == nil:
			continue
		case before == nil:
			note = "it was not rated in these months before"
		case after == nil:
			note = "it left"
		}
		list = append(list, ExplainedRerate{*refOf(run), before.ref(), after.ref(), optionalText(note)})
	}
	return list, nil
}

func ofTable(files []lake.File, table lake.Table) []lake.File {
	return slices.DeleteFunc(slices.Clone(files), func(f lake.File) bool { return f.Table != table.Name })
}

// ratedOnce is the call's row in files that were live once; gone: some of them are
// not in the store any more.
func (d *desk) ratedOnce(ctx context.Context, files []lake.File, out *CallExplanation) (row *ratedRow, gone bool, err error) {
	var there []lake.File
	for _, file := range files {
		_, err := d.mill.Lake.Path(ctx, file)
		switch {
		case errors.Is(err, lake.ErrNotFound), errors.Is(err, fs.ErrNotExist):
			gone = true
		case err != nil:
			return nil, false, err
		default:
			there = append(there, file)
		}
	}
	if len(there) == 0 {
		return nil, gone, nil
	}
	row, err = d.ratedIn(ctx, there, out)
	return row, gone, err
}
