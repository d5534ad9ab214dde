package jobs

import "context"

func compactJob(ctx context.Context, m *Mill) (report jobReport, err error) {
	r, err := m.Compact(ctx, CompactOptions{})
	total := r.Total()
	return jobReport{run: r.Run(), detail: []any{"partitions", len(r.Partitions), "files_before", total.Before, "files_after", total.After}}, err
}

func gcJob(ctx context.Context, m *Mill) (jobReport, error) {
	r, err := m.GC(ctx, GCOptions{Delete: true})
	return jobReport{run: r.Run, detail: []any{"files", r.Files(), "bytes", r.Bytes(), "strays", int64(len(r.Strays)) + r.More}}, err
}
