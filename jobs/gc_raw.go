package jobs

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/sql"
)

// tagRawDropped marks files of rejected whose rows have no raw text any more.
const tagRawDropped = "raw_dropped"

// gcRawFiles is about how many files of rejected one run writes anew: whole days of
// them, at least one.
const gcRawFiles = 1000

// dropRaws takes the text of their records out of rejects that are older than
// retention.rejected and that a close has accepted, or counts those. The rows stay: the
// counts of objects, and what stands in an object that is read again, go by them.
func (m *Mill) dropRaws(ctx context.Context, o GCOptions, report *GCReport) error {
	if !o.Delete {
		for _, file := range m.rawFiles(nil) {
			report.Raws.Files++
			report.Raws.Rows += file.Rows
		}
		return nil
	}
	for len(m.rawFiles(nil)) > 0 {
		run, err := m.perform(ctx, func(ctx context.Context, d *desk) (*draft, error) {
			return d.dropRaws(ctx, d.mill.rawFiles(nil))
		})
		if err != nil || run == nil {
			return err
		}
		report.Run = run
		report.Raws.Files += int64(len(run.Files))
		for _, file := range run.Files {
			report.Raws.Rows += file.Rows
		}
	}
	return nil
}

// rawFiles are the files of rejected whose text is to be dropped, by day: of the days
// given, or of those that retention.rejected has ended for, the oldest, about gcRawFiles.
func (m *Mill) rawFiles(days []string) []lake.File {
	state := m.Lake.State()
	var files []lake.File
	for _, file := range state.Files(lake.Rejected) {
		if len(files) >= gcRawFiles && file.Partition != files[len(files)-1].Partition && days == nil {
			break
		}
		wanted := slices.Contains(days, file.Partition) || days == nil && m.rawEnded(file.Partition)
		if wanted && file.Accepted(state.Accepted) && file.Tags[tagRawDropped] == "" {
			files = append(files, file)
		}
	}
	return files
}

// rawEnded reports whether the text of rejects of a UTC day is kept no longer.
func (m *Mill) rawEnded(day string) bool {
	start, err := time.Parse(time.DateOnly, day)
	return err == nil && m.Calendar.Add(start.AddDate(0, 0, 1), m.Config.Retention.Rejected).Before(m.Now())
}

// dropRaws drafts that files of rejected are replaced by the same rows without text.
func (d *desk) dropRaws(ctx context.Context, files []lake.File) (*draft, error) {
	if len(files) == 0 {
		return nil, nil
	}
	out := &draft{run: lake.Run{Kind: lake.GC}, replaced: files}
	for i, file := range files {
		local, err := d.mill.Lake.Path(ctx, file)
		if err != nil {
			return nil, err
		}
		path := filepath.Join(d.scratch, fmt.Sprintf("rejects-%d.parquet", i))
		rows, err := d.session.CopyParquet(ctx, sql.Expand("duckdb/gc_raw_dropped", local), path)
		if err != nil {
			return nil, fmt.Errorf("drop the raw text of %s: %w", file.Path, err)
		}
		if rows != file.Rows {
			return nil, fmt.Errorf("drop the raw text of %s: it has %d rows, and its run says %d: `creditmill verify` tells more", file.Path, rows, file.Rows)
		}
		tags := originTags(file)
		tags[tagRawDropped] = "1"
		out.outputs = append(out.outputs, lake.Output{Table: lake.Rejected, Partition: file.Partition, Path: path, Rows: rows, Tags: tags})
	}
	replaced := map[string]bool{}
	for _, file := range files {
		replaced[file.Path] = true
	}
	out.survives = func(newer *lake.Run) bool {
		return !slices.ContainsFunc(newer.Replaced, func(path string) bool { return replaced[path] })
	}
	return out, nil
}

// gcAgain drafts what a gc did to rows: what it deleted is no part of a lake that is
// made anew.
func (d *desk) gcAgain(ctx context.Context, run *lake.Run) (*draft, error) {
	var days []string
	for _, path := range run.Replaced {
		parts := strings.Split(path, "/")
		if day, ok := strings.CutPrefix(parts[len(parts)-2], "day="); ok && !slices.Contains(days, day) {
			days = append(days, day)
		}
	}
	if len(days) > 0 {
		if made, err := d.dropRaws(ctx, d.mill.rawFiles(days)); err != nil || made != nil {
			return made, err
		}
	}
	return &draft{run: lake.Run{Kind: lake.GC}}, nil
}
