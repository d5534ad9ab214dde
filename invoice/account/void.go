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
	for _, b := range m.all {
		if b.ID != f.Bucket {
			continue
		}
		if !b.Remaining.IsZero() {
			voided := m.set.Void(b)
			m.flush(b)
			m.entry(e.posted, "void", b.ID, voided, f.Reason)
		}
		return ""
	}
	if m.existed(f.Bucket) {
		return ""
	}
	return ReasonUnknownBucket
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
	made := map[string]string{"pack": typePack, "promotion": typeGranted, "opened": typeBucket}
	switch kind {
	case "pack", "promotion", "opened":
		for _, e := range m.events[:m.next] {
			if e.Type == made[kind] && e.posted >= first && bucket.Escape(e.ID) == rest && !m.isHeld(e.ID) {
				return true
			}
		}
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

func (m *Machine) isHeld(id string) bool {
	for _, h := range m.held {
		if h.Event.ID == id {
			return true
		}
	}
	return false
}
