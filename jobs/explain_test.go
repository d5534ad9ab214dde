package jobs_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/jobs"
)

func (s site) explain(subject string, o jobs.ExplainOptions) jobs.Explanation {
	s.t.Helper()
	e, err := s.at("2026-11-02T00:00:00Z").Explain(s.t.Context(), subject, o)
	if err != nil {
		s.t.Fatalf("explain %s: %v", subject, err)
	}
	return e
}

// payers says who paid for a call: kind, credits, value and lines of each.
func payers(e jobs.Explanation) (list []string) {
	for _, p := range e.Call.Paid.By {
		words := p.Kind + " " + p.Credits
		if p.Value != nil {
			words += " " + *p.Value
		}
		for _, l := range p.Lines {
			words += " " + l.Number + "/" + string(rune('0'+l.Line))
		}
		list = append(list, words)
	}
	return list
}

// By hand, of the tiny world: ada's c2 costs 3 × 2 = 6 credits. Her allowance of 10
// for 10.00 has 2 left for it, worth 2.00; 4 are overage at 0.50.
func TestExplainACallOfTheTinyWorld(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	e := s.explain("c2", jobs.ExplainOptions{})
	c := e.Call
	if c == nil || c.State != jobs.CallClosed || c.Price.Credits != "6" || c.Price.Agrees == nil || !*c.Price.Agrees {
		t.Fatalf("%+v", c)
	}
	wantRows(t, "payers", payers(e), "allowance 2 2 INV-2026-000001/1", "overage 4 2 INV-2026-000001/2")
	if c.Raw.Text == nil || *c.Raw.Text != `{"id":"c2","ts":"2026-10-04T10:00:00Z","org":"ada","op":"image.generate","n":3}` {
		t.Errorf("raw: %+v", c.Raw)
	}
	// bob has no plan: of c4's 6 credits his pack of 5 for 4.00 pays 3, worth 2.40, and 3 are denied.
	wantRows(t, "bob's payers", payers(s.explain("c4", jobs.ExplainOptions{})), "pack 3 2.4 INV-2026-000002/1", "denied 3")
	if free := s.explain("c5", jobs.ExplainOptions{}).Call; len(free.Paid.By) != 0 || free.Price.Credits != "0" {
		t.Errorf("a free call: %+v", free.Paid)
	}
	line := s.explain("INV-2026-000002/1", jobs.ExplainOptions{}).Line
	if line == nil || line.Event == nil || line.Event.ID != "b2" || line.Bucket == nil || line.Bucket.ID != "bob/pack/b2" || line.Agrees == nil || !*line.Agrees {
		t.Errorf("%+v", line)
	}
	_, err := s.at("2026-11-02T00:00:00Z").Explain(t.Context(), "INV-2026-000002/1", jobs.ExplainOptions{Account: "bob"})
	if !errors.Is(err, jobs.ErrNothingToExplain) {
		t.Errorf("a number with a flag is an event id: %v", err)
	}
}

// Packs and top-ups of one instant are told apart by their order, which is that of
// their lines. bob buys three packs of 5 credits at once: p1 (one unit, 4.00), p2 (three
// units, 12.00) and p3 (one unit). c3 costs 2 and c4 6: p1 pays 2 + 3, p2 3 of its 15
// credits, worth 12.00 × 3 ÷ 15 = 2.40. ada has no plan; each top-up is 5 credits for
// 4.00, and her c1 of 8 buys two for itself, and then two more until 12 are left.
func TestExplainPurchasesOfOneInstant(t *testing.T) {
	t.Parallel()
	world := maps.Clone(tiny)
	world["raw/accounts/2026-10.jsonl"] = `
{"id":"a1","type":"account.opened","account":"ada","at":"2026-10-01T00:00:00Z","name":"Ada"}
{"id":"a2","type":"topup.set","account":"ada","at":"2026-10-01T00:00:00Z","pack":"starter","units":1,"below":12,"most_per_period":5}
{"id":"b1","type":"account.opened","account":"bob","at":"2026-10-02T00:00:00Z","name":"Bob"}
{"id":"p3","type":"pack.purchased","account":"bob","at":"2026-10-02T00:00:00Z","pack":"starter"}
{"id":"p2","type":"pack.purchased","account":"bob","at":"2026-10-02T00:00:00Z","pack":"starter","units":3}
{"id":"p1","type":"pack.purchased","account":"bob","at":"2026-10-02T00:00:00Z","pack":"starter"}
`
	s := newSite(t, world)
	s.run(month)
	// Buckets of one start and expiry pay by id.
	wantRows(t, "bob's c4", payers(s.explain("c4", jobs.ExplainOptions{})), "pack 3 2.4 INV-2026-000002/1", "pack 3 2.4 INV-2026-000002/2")
	got := payers(s.explain("c1", jobs.ExplainOptions{}))
	wantRows(t, "ada's c1", got, "topup 5 4 INV-2026-000001/1", "topup 3 2.4 INV-2026-000001/2")
	second := s.explain("INV-2026-000002/2", jobs.ExplainOptions{}).Line
	if second.Event == nil || second.Event.ID != "p2" || second.Worked == nil || *second.Worked != "12.00" {
		t.Errorf("bob's second line: %+v, %+v", second.Event, second)
	}
	topUp := s.explain("INV-2026-000001/2", jobs.ExplainOptions{}).Line
	if topUp.Bucket == nil || topUp.Bucket.ID != "ada/topup/2026-10/2" || topUp.Event == nil || topUp.Event.ID != "a2" || len(topUp.Calls) == 0 || topUp.Calls[0].EventID != "c1" {
		t.Errorf("ada's second top-up: %+v %+v %+v", topUp.Bucket, topUp.Event, topUp.Calls)
	}
}

// Rejected records are found by an id that stands in them by itself.
func TestExplainARejectedRecord(t *testing.T) {
	t.Parallel()
	world := maps.Clone(tiny)
	world["raw/calls/3.jsonl"] = `
{"id":"r1","ts":"never","org":"ada","op":"image.generate","n":4}
{"id":"r10","ts":"never","org":"ada","op":"image.generate","n":4}
`
	s := newSite(t, world)
	s.run(month[:1])
	c := s.explain("r1", jobs.ExplainOptions{}).Call
	if c.State != jobs.CallRejected || c.Call != nil || len(c.Rejects) != 1 || c.Rejects[0].Line != 1 || c.Rejects[0].Reason != "bad_time" {
		t.Errorf("%+v", c)
	}
	if _, err := s.at("2026-11-02T00:00:00Z").Explain(t.Context(), "r", jobs.ExplainOptions{}); !errors.Is(err, jobs.ErrNothingToExplain) {
		t.Errorf("part of an id: %v", err)
	}
}

// Explaining changes nothing, and leaves nothing in scratch.
func TestExplainOnlyReads(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	before := s.rows()
	m := s.at("2026-11-02T00:00:00Z")
	head := m.Lake.State().Head
	for _, subject := range []string{"c1", "INV-2026-000001", "INV-2026-000001/2"} {
		if _, err := m.Explain(context.WithoutCancel(t.Context()), subject, jobs.ExplainOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.Lake.Refresh(t.Context()); err != nil || m.Lake.State().Head != head {
		t.Errorf("the head is run %d, %v", m.Lake.State().Head, err)
	}
	for table, rows := range s.rows() {
		if !slices.Equal(rows, before[table]) {
			t.Errorf("%s changed: %s", table, strings.Join(rows, "\n"))
		}
	}
}
