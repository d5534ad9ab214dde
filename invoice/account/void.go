package account

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/bucket"
)

// void takes what is left of a bucket (SPEC section 14, 36).
func (m *Machine) void(e *posted) string {
	var f struct{ Bucket, Reason string }
	if json.Unmarshal(e.Payload, &f) != nil || f.Bucket == "" {
		return ReasonMalformed
	}
	if m.byID == nil {
		m.byID = make(map[string]*bucket.Bucket, len(m.all))
	}
	for ; m.indexed < len(m.all); m.indexed++ {
		m.byID[m.all[m.indexed].ID] = m.all[m.indexed]
	}
	b := m.byID[f.Bucket]
	switch {
	case b == nil && !m.existed(f.Bucket):
		return ReasonUnknownBucket
	case b != nil && !b.Remaining.IsZero():
		voided := m.set.Void(b)
		m.flush(b)
		m.entry(e.posted, "void", b.ID, voided, f.Reason)
	}
	return ""
}

// existed reports whether id is that of a bucket which this account had, but
// which is empty since before the period, or never held anything. Those that
// events made are looked up; of cycles and top-ups the id's own time must do.
func (m *Machine) existed(id string) bool {
	rest, mine := strings.CutPrefix(id, bucket.Escape(m.account)+"/")
	kind, rest, _ := strings.Cut(rest, "/")
	if !mine {
		return false
	}
	first := m.p.Calendar.Start(m.p.FirstPeriod).UnixMicro()
	switch kind {
	case "pack", "promotion", "opened":
		i, made := m.maker(kind, rest)
		return made && i < m.next && m.events[i].posted >= first && !m.isHeld(m.events[i].ID)
	case "allowance", "rollover":
		t, err := period.ParseInstant(rest)
		return err == nil && t.UnixMicro() >= first && t.UnixMicro() <= m.start && period.FormatInstant(t) == rest
	case "topup":
		month, number, _ := strings.Cut(rest, "/")
		p, err := period.Parse(month)
		n, notNumber := strconv.Atoi(number)
		return err == nil && !p.Before(m.p.FirstPeriod) && p.Before(m.p.Period) && notNumber == nil && n > 0
	}
	return false
}

// maker finds the event that makes the bucket of a kind and an id as bucket ids have it.
func (m *Machine) maker(kind, id string) (i int, ok bool) {
	if m.makers == nil {
		m.makers = map[string]int{}
		kinds := map[string]bucket.Kind{typePack: bucket.Pack, typeGranted: bucket.Promotion, typeBucket: bucket.Opened}
		for i := range m.events {
			if kind, makes := kinds[m.events[i].Type]; makes {
				m.makers[string(kind)+"/"+bucket.Escape(m.events[i].ID)] = i
			}
		}
	}
	i, ok = m.makers[kind+"/"+id]
	return i, ok
}

func (m *Machine) isHeld(id string) bool {
	for _, h := range m.held {
		if h.Event.ID == id {
			return true
		}
	}
	return false
}
