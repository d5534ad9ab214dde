package jobs_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
)

// shelf is a world whose logs, prices and accounts come one by one: image.generate
// costs 2 an image, from 10 October on 3, and by a version that corrects that 5.
// eve is opened last.
var shelf = map[string]string{
	"creditmill.yaml":      tiny["creditmill.yaml"],
	"sources/gateway.yaml": tiny["sources/gateway.yaml"], "sources/accounts.yaml": tiny["sources/accounts.yaml"],
	"plans/plans.yaml": tiny["plans/plans.yaml"], "raw/accounts/2026-10.jsonl": tiny["raw/accounts/2026-10.jsonl"],
	"prices/api-1.yaml": priceVersion(1, "2026-01-01T00:00:00Z", 2),
	"prices/api-2.yaml": priceVersion(2, "2026-10-10T00:00:00Z", 3),
}

func priceVersion(version int, from string, credits int) string {
	return fmt.Sprintf("table: api\nversion: %d\neffective_from: %s\napplies_to: [\"image.*\"]\nrules:\n  - {operation: image.generate, charge: {each: images, credits: %d}}\n",
		version, from, credits)
}

// What is put on the shelf, by name.
var arrivals = map[string][2]string{
	"a": {"raw/calls/a.jsonl", `
{"id":"a1","ts":"2026-10-03T10:00:00Z","org":"ada","op":"image.generate","n":4}
{"id":"a2","ts":"2026-10-09T23:59:59.999999Z","org":"ada","op":"image.generate","n":1}
{"id":"a3","ts":"2026-10-10T00:00:00Z","org":"ada","op":"image.generate","n":1}
`},
	"b": {"raw/calls/b.jsonl", `
{"id":"b1","ts":"2026-10-10T08:00:00Z","org":"bob","op":"image.generate","n":2}
{"id":"b2","ts":"2026-10-20T10:00:00Z","org":"bob","op":"image.generate","n":1}
{"id":"b3","ts":"2026-10-03T11:00:00Z","org":"bob","op":"image.generate","n":3}
`},
	"c": {"raw/calls/c.jsonl", `
{"id":"e1","ts":"2026-10-12T10:00:00Z","org":"eve","op":"image.generate","n":2}
{"id":"e2","ts":"2026-10-09T00:00:00Z","org":"eve","op":"image.generate","n":1}
`},
	"prices": {"prices/api-3.yaml", priceVersion(3, "2026-10-10T00:00:00Z", 5)},
	"eve":    {"raw/accounts/eve.jsonl", `{"id":"e","type":"account.opened","account":"eve","at":"2026-10-08T00:00:00Z"}`},
}

// do puts something on the shelf, or runs a job.
func (s site) do(word string, minute int) {
	s.t.Helper()
	if file, ok := arrivals[word]; ok {
		s.write(file[0], file[1])
		return
	}
	m := s.at(fmt.Sprintf("2026-10-25T00:%02d:00Z", minute))
	var err error
	switch word {
	case "ingest":
		_, err = m.Ingest(s.t.Context())
	case "rate":
		_, err = m.Rate(s.t.Context())
	default:
		s.t.Fatalf("no %q", word)
	}
	if err != nil {
		s.t.Fatalf("%s: %v", word, err)
	}
}

// However ingest and rate take turns, and whenever prices are corrected and accounts
// opened, the rows are the same. By hand: 2 credits an image until the last
// microsecond of 9 October, 5 from the first instant of the 10th on. ada burns 8 + 2
// of her allowance of 10, and 5 are overage; bob 5 of his pack, and then 16 are
// denied; eve has nothing: 12 are denied.
func TestTheOrderOfRunsNeverShowsInTheRows(t *testing.T) {
	t.Parallel()
	var want map[string][]string
	for _, order := range []string{
		"prices eve a b c ingest rate",
		"a ingest rate b ingest rate c ingest rate eve ingest rate prices rate",
		"c ingest rate b ingest rate a ingest rate prices rate eve ingest rate",
		"b ingest c ingest rate prices a ingest rate eve ingest rate",
		"prices a ingest b ingest rate eve ingest c ingest rate rate",
		"a b c ingest rate eve prices ingest", // the rest is left to close
		"c ingest rate prices eve a b",
	} {
		t.Run(strings.ReplaceAll(order, " ", "-"), func(t *testing.T) {
			s := newSite(t, shelf)
			for i, word := range strings.Fields(order) {
				s.do(word, i)
			}
			if strings.HasSuffix(order, "rate") {
				s.rated(t)
			}
			if _, reasons := s.closeOctober(jobs.CloseOptions{}); len(reasons) > 0 {
				t.Fatalf("close: %q", reasons)
			}
			s.rated(t)
			wantRows(t, "burns", s.ask(`SELECT concat_ws(' ', account, event_id, kind, credits) FROM burns ORDER BY account, posted_at, kind DESC`),
				"ada a1 allowance 8.000000", "ada a2 allowance 2.000000", "ada a3 overage 5.000000",
				"bob b3 pack 5.000000", "bob b3 denied 1.000000", "bob b1 denied 10.000000", "bob b2 denied 5.000000",
				"eve e2 denied 2.000000", "eve e1 denied 10.000000")
			got := s.rows()
			if want == nil {
				want = got
			}
			for _, table := range []lake.Table{lake.Rated, lake.Burns, lake.Ledger, lake.Balances, lake.Statements, lake.InvoiceLines} {
				if !reflect.DeepEqual(got[table.Name], want[table.Name]) {
					t.Errorf("%s:\n got %q\nwant %q", table.Name, got[table.Name], want[table.Name])
				}
			}
		})
	}
}

func (s site) rated(t *testing.T) {
	t.Helper()
	wantRows(t, "rated", s.ask(`SELECT concat_ws(' ', account, event_id, period, price_version, rule, credits, coalesce(held, '-'), late, posted_at = time) FROM rated ORDER BY account, time`),
		"ada a1 2026-10 1 1 8.000000 - false true", "ada a2 2026-10 1 1 2.000000 - false true", "ada a3 2026-10 3 1 5.000000 - false true",
		"bob b3 2026-10 1 1 6.000000 - false true", "bob b1 2026-10 3 1 10.000000 - false true", "bob b2 2026-10 3 1 5.000000 - false true",
		"eve e2 2026-10 1 1 2.000000 - false true", "eve e1 2026-10 3 1 10.000000 - false true")
}

// A version that supersedes another has exactly the files rated again that hold a
// call of its time. Usage is kept by UTC day: a, b and c make rated files for the
// 3rd, 9th, 10th, 12th and 20th.
func TestOnlyFilesThatANewVersionCoversAreRatedAgain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ from, days string }{
		{"2026-10-20T10:00:00.000001Z", ""}, // a microsecond after the last call
		{"2026-10-20T10:00:00Z", "20"},
		{"2026-10-12T10:00:00.000001Z", "20"},
		{"2026-10-12T10:00:00Z", "12 20"},
		{"2026-10-10T08:00:00.000001Z", "12 20"},
		{"2026-10-10T08:00:00Z", "10 12 20"}, // the later of the day's two calls
		{"2026-10-10T00:00:00Z", "10 12 20"},
		{"2026-10-09T23:59:59.999999Z", "09"}, // until version 2 begins, a microsecond later
		{"2026-01-01T00:00:00Z", "03 09"},
	} {
		s := newSite(t, shelf)
		for i, word := range strings.Fields("eve a b c ingest rate") {
			s.do(word, i)
		}
		s.write("prices/api-4.yaml", priceVersion(4, test.from, 7))
		m := s.at("2026-10-26T00:00:00Z")
		status, err := m.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		report, err := m.Rate(t.Context())
		if err != nil {
			t.Fatalf("from %s: %v", test.from, err)
		}
		var days []string
		var rows int64
		if report.Run != nil {
			for _, file := range report.Run.Files {
				days, rows = append(days, file.MinTime.Format("02")), rows+file.Rows
			}
			if len(report.Run.Replaced) != len(days) {
				t.Errorf("from %s: %d files written, %d replaced", test.from, len(days), len(report.Run.Replaced))
			}
		}
		if got := strings.Join(days, " "); got != test.days {
			t.Errorf("from %s: rated again: %q, want %q", test.from, got, test.days)
		}
		if status.Superseded != rows {
			t.Errorf("from %s: status promised %d calls, %d were rated again", test.from, status.Superseded, rows)
		}
		if again, err := s.at("2026-10-26T00:01:00Z").Rate(t.Context()); err != nil || again.Run != nil {
			t.Errorf("from %s: rate again: %+v, %v", test.from, again.Run, err)
		}
	}
}

// Prices that were corrected after the last rate are those that a close burns by.
func TestCloseRatesAgainWhatNobodyRatedAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:3]) // ada's calls at 2 credits an image: 8 and 6
	s.write("prices/api-2.yaml", strings.NewReplacer("version: 1", "version: 2", "credits: 2", "credits: 1").Replace(tiny["prices/api.yaml"]))
	if _, reasons := s.closeOctober(jobs.CloseOptions{}); len(reasons) > 0 {
		t.Fatalf("close: %q", reasons)
	}
	wantRows(t, "rated", s.ask(`SELECT concat_ws(' ', event_id, price_version, credits) FROM rated ORDER BY event_id`),
		"c1 2 4.000000", "c2 2 3.000000", "c3 2 1.000000", "c4 2 3.000000", "c5 2 0.000000")
	wantRows(t, "burns", s.ask(`SELECT concat_ws(' ', account, event_id, kind, credits) FROM burns ORDER BY account, posted_at`),
		"ada c1 allowance 4.000000", "ada c2 allowance 3.000000", "bob c3 pack 1.000000", "bob c4 pack 3.000000")
	wantRows(t, "invoice of ada", s.ask(`SELECT concat_ws(' ', total) FROM invoices WHERE account = 'ada'`), "10.0000") // the fee alone

	// What is closed stays closed, whatever version comes later.
	before := s.rows()
	s.write("prices/api-3.yaml", strings.NewReplacer("version: 1", "version: 3", "credits: 2", "credits: 9").Replace(tiny["prices/api.yaml"]))
	if report, err := s.at("2026-11-02T00:00:00Z").Rate(t.Context()); err != nil || report.Run != nil {
		t.Errorf("rate after the close: %+v, %v", report.Run, err)
	}
	if !reflect.DeepEqual(s.rows(), before) {
		t.Error("rows of the closed month changed")
	}
}

// At 2 credits an image, 499,999,999,999 images are the most that 12 digits hold
// whole; one more, and BIGINT's greatest, are held, and the calls beside them are not.
func TestACallThatOverflowsIsHeldAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.write("raw/calls/large.jsonl", `
{"id":"o1","ts":"2026-10-20T10:00:00Z","org":"ada","op":"image.generate","n":499999999999}
{"id":"o2","ts":"2026-10-20T10:00:00Z","org":"ada","op":"image.generate","n":500000000000}
{"id":"o3","ts":"2026-10-20T10:00:00Z","org":"ada","op":"image.generate","n":9223372036854775807}
{"id":"o4","ts":"2026-10-20T10:00:00Z","org":"ada","op":"image.generate","n":1}
`)
	s.run(month[:2])
	wantRows(t, "rated", s.ask(`SELECT concat_ws(' ', event_id, rule, credits, coalesce(held, '-')) FROM rated WHERE event_id LIKE 'o%' ORDER BY event_id`),
		"o1 1 999999999998.000000 -", "o2 1 0.000000 overflow", "o3 1 0.000000 overflow", "o4 1 2.000000 -")
	held := s.held(10)
	if held.ByReason["overflow"] != 2 || len(held.ByReason) != 1 || len(held.Groups) != 1 || held.Groups[0].Calls != 2 ||
		!strings.Contains(held.Groups[0].Resolve, "rule 1 ("+s.dir+"/prices/api.yaml:6:5) has a `maximum`") {
		t.Errorf("%+v", held)
	}
	wantRows(t, "totals of the run", []string{fmt.Sprint(s.lastRun(lake.Rate).Totals.Held)}, "map[overflow:2]")
}

func (s site) lastRun(kind lake.Kind) *lake.Run {
	s.t.Helper()
	var last *lake.Run
	for _, run := range s.runs() {
		if run.Kind == kind {
			last = run
		}
	}
	if last == nil {
		s.t.Fatalf("no run %s", kind)
	}
	return last
}

// held is what is held on the site, at most limit groups of it.
func (s site) held(limit int) jobs.HeldCalls {
	s.t.Helper()
	reader, err := s.at("2026-10-26T00:00:00Z").Read(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	defer reader.Close()
	held, err := reader.HeldCalls(s.t.Context(), limit)
	if err != nil {
		s.t.Fatal(err)
	}
	return held
}

// Held calls are counted all, however few are listed, and each group says which
// file releases it. What was written as it says releases them.
func TestHeldCallsSayWhatReleasesThem(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.write("prices/video.yaml", strings.NewReplacer("table: api", "table: video", "2026-01-01", "2026-10-20", "image.", "video.").Replace(tiny["prices/api.yaml"]))
	var lines strings.Builder
	call := func(id, at, account, operation, rest string) {
		fmt.Fprintf(&lines, "{\"id\":%q,\"ts\":%q,\"org\":%q,\"op\":%q%s}\n", id, at, account, operation, rest)
	}
	for i := range 4 {
		call(fmt.Sprint("r", i), fmt.Sprintf("2026-10-1%dT10:00:00Z", i), "ada", "image.resize", "")
	}
	for i := range 3 {
		call(fmt.Sprint("n", i), "2026-10-11T10:00:00Z", "bob", "image.generate", "")
	}
	call("u0", "2026-10-11T10:00:00Z", "zoe", "image.free", "")
	call("u1", "2026-10-11T10:00:00Z", "eve", "image.free", "")
	call("v0", "2026-10-19T23:59:59.999999Z", "ada", "video.free", "")
	call("v1", "2026-10-20T00:00:00Z", "ada", "video.free", "")
	call("x0", "2026-10-12T10:00:00Z", "ada", "audio.read", "")
	s.write("raw/calls/more.jsonl", lines.String())
	s.run(month[:2])

	api, video := s.dir+"/prices/api.yaml", s.dir+"/prices/video.yaml"
	say := func(held jobs.HeldCalls) (groups []string) {
		for _, g := range held.Groups {
			groups = append(groups, fmt.Sprintf("%d %s %s %s/%d %s rule %d, %d accounts, %s..%s: %s", g.Calls, g.Reason, g.Operation, g.Table, g.Version, g.File,
				g.Rule, g.Accounts, period.FormatInstant(g.First), period.FormatInstant(g.Last), g.Resolve))
		}
		return groups
	}
	want := []string{
		"4 no_rule image.resize api/1 " + api + " rule 0, 1 accounts, 2026-10-10T10:00:00Z..2026-10-13T10:00:00Z: write version 2 of api, a copy of " + api +
			" of the same effective_from (2026-01-01T00:00:00Z) with a rule for image.resize that matches them, then `creditmill rate`",
		"3 null_quantity image.generate api/1 " + api + " rule 1, 1 accounts, 2026-10-11T10:00:00Z..2026-10-11T10:00:00Z: write version 2 of api, a copy of " + api +
			" of the same effective_from (2026-01-01T00:00:00Z) with a rule `when: {images: null}` before rule 1 (" + api + ":6:5), then `creditmill rate`",
		"2 account_not_opened image.free api/1 " + api + " rule 2, 2 accounts, 2026-10-11T10:00:00Z..2026-10-11T10:00:00Z: send an account.opened for each of the 2 accounts, " +
			"such as eve, then `creditmill ingest` and `creditmill rate`; or set `accounts: {unknown: {plan: …}}`, then `creditmill rate`",
		"1 no_rule audio.read /0  rule 0, 1 accounts, 2026-10-12T10:00:00Z..2026-10-12T10:00:00Z: no price table applies to audio.read: " +
			"write one of an effective_from no later than 2026-10-12T10:00:00Z whose applies_to has it, then `creditmill rate`",
		"1 no_rule video.free /0  rule 0, 1 accounts, 2026-10-19T23:59:59.999999Z..2026-10-19T23:59:59.999999Z: video version 1 (" + video + ") prices video.free, " +
			"but only from 2026-10-20T00:00:00Z on: write a version 2 of an effective_from no later than 2026-10-19T23:59:59.999999Z, then `creditmill rate`",
	}
	byReason := map[string]int64{"no_rule": 6, "null_quantity": 3, "account_not_opened": 2}
	for _, limit := range []int{100, 2} {
		held := s.held(limit)
		if !reflect.DeepEqual(held.ByReason, byReason) || held.All != 5 {
			t.Errorf("limit %d: %v in %d groups, want %v in 5", limit, held.ByReason, held.All, byReason)
		}
		wantRows(t, fmt.Sprintf("groups, at most %d", limit), say(held), want[:min(limit, 5)]...)
	}

	// A version that mends the first two, one that begins earlier, and an account.
	s.write("prices/api-2.yaml", strings.NewReplacer("version: 1", "version: 2",
		"rules:\n", "rules:\n  - {when: {images: null}, charge: {credits: 1}}\n").Replace(strings.TrimPrefix(tiny["prices/api.yaml"], "\n")))
	s.write("prices/video-2.yaml", strings.NewReplacer("table: api", "table: video", "version: 1", "version: 2", "2026-01-01", "2026-10-19", "image.", "video.").Replace(tiny["prices/api.yaml"]))
	s.write("raw/accounts/zoe.jsonl", `{"id":"z","type":"account.opened","account":"zoe","at":"2026-10-01T00:00:00Z"}`)
	var resolve []string
	for _, g := range s.held(100).Groups {
		resolve = append(resolve, g.Operation+": "+g.Resolve)
	}
	wantRows(t, "after the files were written", resolve,
		"image.resize: `creditmill rate`: api version 2 ("+s.dir+"/prices/api-2.yaml) is in force for them since",
		"image.generate: `creditmill rate`: api version 2 ("+s.dir+"/prices/api-2.yaml) is in force for them since",
		"image.free: "+strings.SplitN(want[2], ": ", 2)[1], "audio.read: "+strings.SplitN(want[3], ": ", 2)[1],
		"video.free: `creditmill rate`: video version 2 ("+s.dir+"/prices/video-2.yaml) is in force for them since")
	s.run([]step{
		{"2026-10-26T00:00:00Z", func(ctx context.Context, m *jobs.Mill) error { _, err := m.Ingest(ctx); return err }},
		{"2026-10-26T00:01:00Z", func(ctx context.Context, m *jobs.Mill) error { _, err := m.Rate(ctx); return err }},
	})
	held := s.held(100)
	if want := map[string]int64{"no_rule": 1, "account_not_opened": 1}; !reflect.DeepEqual(held.ByReason, want) {
		t.Errorf("held after the rate: %v, want %v", held.ByReason, want)
	}
	wantRows(t, "released", s.ask(`SELECT concat_ws(' ', operation, price_version, credits, count(*)) FROM rated WHERE held IS NULL AND object = 'calls/more.jsonl' GROUP BY operation, price_version, credits ORDER BY ALL`),
		"image.free 2 1.000000 1", "image.generate 2 1.000000 3", "image.resize 2 1.000000 4", "video.free 1 0.000000 1", "video.free 2 0.000000 1")
}
