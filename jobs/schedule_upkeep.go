package jobs

import (
	"context"

	"github.com/creditmill/creditmill/internal/lake"
)

func compactJob(ctx context.Context, m *Mill) (report jobReport, err error) {
	r, err := m.Compact(ctx, CompactOptions{})
	var before, after int
	for _, p := range r.Partitions {
		before, after = before+p.Before, after+p.After
	}
	return jobReport{run: newestOf(r.Runs), detail: []any{"partitions", len(r.Partitions), "files_before", before, "files_after", after}}, err
}

func gcJob(ctx context.Context, m *Mill) (jobReport, error) {
	r, err := m.GC(ctx, GCOptions{Delete: true})
	var files, bytes int64
	for _, g := range r.Groups {
		files, bytes = files+g.Files, bytes+g.Bytes
	}
	return jobReport{run: r.Run, detail: []any{"files", files, "bytes", bytes, "strays", int64(len(r.Strays)) + r.More}}, err
}

// newestOf is the last of some runs, nil for none.
func newestOf(runs []*lake.Run) *lake.Run {
	if len(runs) == 0 {
		return nil
	}
	return runs[len(runs)-1]
}
