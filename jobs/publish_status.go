package jobs

import (
	"context"
	"encoding/json"
	"time"
)

// A PublishedStatus is what the published copy says of itself.
type PublishedStatus struct {
	Place string
	Run   int64     // that it is of; 0: it does not say, for it is being changed, or a publish was cut off
	Now   time.Time // the clock of that run
	Err   string    // why it cannot be looked at; empty: it can
}

// publishedStatus looks at the published copy, nil where there is none. That it cannot be
// looked at is part of the answer.
func (m *Mill) publishedStatus(ctx context.Context) (*PublishedStatus, error) {
	if m.Config.Publish.IsZero() || m.Lake.State().Head == 0 {
		return nil, nil
	}
	s := &PublishedStatus{Place: m.Config.Publish.String()}
	p, ours, err := m.publishedCopy(ctx)
	if err == nil && !ours {
		return nil, nil
	}
	var of said
	if err == nil {
		of, err = p.said(ctx)
	}
	if err != nil {
		s.Err = err.Error()
		return s, ctx.Err()
	}
	var document AsOf
	if json.Unmarshal(of.text, &document) == nil {
		s.Run, s.Now = document.Run, document.Now
	}
	return s, nil
}
