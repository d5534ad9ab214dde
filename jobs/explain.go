package jobs

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
)

// ExplainOptions say which call is meant where several have the id.
type ExplainOptions struct {
	Source  string        // empty: any
	Account string        // empty: any
	Period  period.Period // of the call's own time; zero: any
}

// An Explanation is what `explain` says of one thing: exactly one of its members is
// there. Their JSON is what the command prints: decimals are exact, as texts; instants
// are RFC 3339 in UTC.
type Explanation struct {
	Call     *CallExplanation
	Line     *LineExplanation
	Document *DocumentExplanation
}

// ErrNothingToExplain is the failure of an explanation of what the lake does not have.
var ErrNothingToExplain = errors.New("there is nothing to explain")

// Explain says how one call was read, priced and paid for, or why a line of an invoice
// or note, NUMBER/LINE, is what it is; of a NUMBER alone, all of its lines in brief. A
// number goes before an event id of the same text, unless options are given.
func (m *Mill) Explain(ctx context.Context, subject string, o ExplainOptions) (out Explanation, err error) {
	if _, err := m.Lake.Refresh(ctx); err != nil {
		return out, err
	}
	d, err := m.newDesk(ctx)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if o == (ExplainOptions{}) {
		number, line := subject, 0
		if i := strings.LastIndexByte(subject, '/'); i >= 0 {
			if n, err := strconv.Atoi(subject[i+1:]); err == nil && n > 0 {
				number, line = subject[:i], n
			}
		}
		doc, err := d.findDocument(ctx, number)
		switch {
		case err != nil:
			return out, err
		case doc != nil && line > 0:
			out.Line, err = d.explainLine(ctx, doc, line)
			return out, err
		case doc != nil:
			out.Document, err = d.explainDocument(ctx, doc)
			return out, err
		}
	}
	out.Call, err = d.explainCall(ctx, subject, o)
	return out, err
}

// findDocument returns the document of a number; nil if there is none.
func (d *desk) findDocument(ctx context.Context, number string) (*docRow, error) {
	if err := d.viewPlaced(ctx, "explain_invoices", lake.Invoices); err != nil {
		return nil, err
	}
	docs, err := d.explainDocuments(ctx, "", number)
	if err != nil || len(docs) == 0 {
		return nil, err
	}
	return &docs[0], nil
}

// viewPlaced makes a table readable with the partition and the run of each row in a
// last column, #place.
func (d *desk) viewPlaced(ctx context.Context, name string, table lake.Table) error {
	return d.viewBy(ctx, name, table, d.mill.Lake.State().Files(table), "#place", func(f lake.File) string {
		return fmt.Sprintf("%s/%d", f.Partition, f.Origin())
	})
}

// placed takes a #place apart.
func placed(place string) (partition string, run int64) {
	partition, text, _ := strings.Cut(place, "/")
	run, _ = strconv.ParseInt(text, 10, 64) // viewPlaced wrote it
	return partition, run
}

// A RunRef names a run.
type RunRef struct {
	Run    int64   `json:"run"`
	Kind   string  `json:"kind"`
	Now    string  `json:"now"`
	Reason *string `json:"reason"` // of a rerate
}

// runRef is nil for 0, which is no run.
func (m *Mill) runRef(ctx context.Context, number int64) (*RunRef, error) {
	if number == 0 {
		return nil, nil //nolint:nilnil // no run is no error
	}
	run, err := m.Lake.Run(ctx, number)
	return refOf(run), err
}

func refOf(run *lake.Run) *RunRef {
	if run == nil {
		return nil
	}
	return &RunRef{run.Number, string(run.Kind), period.FormatInstant(run.Now), optionalText(run.Reason)}
}

// optionalText is nil for the empty text, which JSON writes as null.
func optionalText(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
