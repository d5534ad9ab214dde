package jobs

import "context"

func compactJob(ctx context.Context, m *Mill) (report jobReport, err error) {
	r, err := m.Compact(ctx, CompactOptions{})
	if r.Run() != nil {
		m.publishAfter(ctx)
	}
	total := r.Total()
	return jobReport{run: r.Run(), detail: []any{"partitions", len(r.Partitions), "files_before", total.Before, "files_after", total.After}}, err
}

// publishJob keeps the copy as new as the lake. It commits nothing.
func publishJob(ctx context.Context, m *Mill) (jobReport, error) {
	r, err := m.Publish(ctx, PublishOptions{})
	if n := int64(len(r.Strays)) + r.More; n > 0 {
		m.Log.Warn("what lies in the published copy is not all of its making: whoever reads all of it reads that too", "place", r.Place, "objects", n, "first", r.Strays[0])
	}
	return jobReport{detail: []any{
		"as_of", r.Run, "linked", r.Linked, "copied", r.Copied, "rewritten", r.Rewritten, "removed", r.Removed,
	}}, err
}

// publishAfter brings the published copy up to date after a run of another job. A failure
// is none of that job: the job publish tries again.
func (m *Mill) publishAfter(ctx context.Context) {
	if err := m.KeepPublished(ctx); err != nil && ctx.Err() == nil {
		m.Log.Warn("a run is committed, and not yet published", "error", err)
	}
}

func gcJob(ctx context.Context, m *Mill) (jobReport, error) {
	r, err := m.GC(ctx, GCOptions{Delete: true})
	return jobReport{run: r.Run, detail: []any{"files", r.Files(), "bytes", r.Bytes(), "strays", int64(len(r.Strays)) + r.More}}, err
}
