package jobs_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/creditmill/creditmill/jobs"
)

func call(id, ts string, n int) string {
	return fmt.Sprintf(`{"id":%q,"ts":"2026-%s:00:00Z","org":"ada","op":"image.generate","n":%d}`+"\n", id, ts, n)
}

// An event counts once per source, account, id and period (SPEC section 3, Once),
// however its copies come: each map is what lands before one more ingest, and
// afterwards October is closed where the case says so.
func TestOnce(t *testing.T) {
	one, other := call("e", "10-05T10", 1), call("e", "10-05T10", 2)
	hourLater, dayLater, monthLater := call("e", "10-05T11", 1), call("e", "10-06T10", 1), call("e", "11-05T10", 1)
	for _, c := range []struct {
		name                     string
		landed                   []map[string]string
		void                     string // behind the first ingest
		close                    bool
		usage, rejected, objects []string
	}{
		{
			name: "in one object", landed: []map[string]string{{"a": one + one + other}},
			usage: []string{"e a 1"}, rejected: []string{"a 2 duplicate", "a 3 conflict"}, objects: []string{"a 3 = 1 2 0 run 1"},
		},
		{
			name: "in two objects", landed: []map[string]string{{"a": one, "b": one, "c": other}},
			usage: []string{"e a 1"}, rejected: []string{"b 1 duplicate", "c 1 conflict"},
			objects: []string{"a 1 = 1 0 0 run 1", "b 1 = 0 1 0 run 1", "c 1 = 0 1 0 run 1"},
		},
		{
			name: "the same object under two keys", landed: []map[string]string{{"b": one + dayLater}, {"a": one + dayLater}},
			usage: []string{"e b 1"}, rejected: []string{"a 1 duplicate", "a 2 conflict", "b 2 conflict"},
			objects: []string{"a 2 = 0 2 0 run 2", "b 2 = 1 1 0 run 1"},
		},
		{
			name: "in two runs", landed: []map[string]string{{"b": one}, {"a": one, "c": other}},
			usage: []string{"e b 1"}, rejected: []string{"a 1 duplicate", "c 1 conflict"},
			objects: []string{"a 1 = 0 1 0 run 2", "b 1 = 1 0 0 run 1", "c 1 = 0 1 0 run 2"},
		},
		{
			name: "with another time of the same day", landed: []map[string]string{{"b": one}, {"a": hourLater}},
			usage: []string{"e b 1"}, rejected: []string{"a 1 conflict"}, objects: []string{"a 1 = 0 1 0 run 2", "b 1 = 1 0 0 run 1"},
		},
		{
			name: "of another day in one run", landed: []map[string]string{{"a": dayLater, "b": one}},
			usage: []string{"e a 1"}, rejected: []string{"b 1 conflict"}, objects: []string{"a 1 = 1 0 0 run 1", "b 1 = 0 1 0 run 1"},
		},
		{
			name: "of another day in another run, before the close", landed: []map[string]string{{"b": one}, {"a": dayLater}},
			usage: []string{"e a 1", "e b 1"}, objects: []string{"a 1 = 1 0 0 run 2", "b 1 = 1 0 0 run 1"},
		},
		{
			name: "of another day in another run", landed: []map[string]string{{"b": one}, {"a": dayLater + call("f", "10-06T10", 1)}}, close: true,
			usage: []string{"e b 1", "f a 2"}, rejected: []string{"a 1 conflict"}, objects: []string{"a 2 = 1 1 0 run 2", "b 1 = 1 0 0 run 1"},
		},
		{
			name: "of another period", landed: []map[string]string{{"a": one + monthLater}, {"b": monthLater}}, close: true,
			usage: []string{"e a 1", "e a 2"}, rejected: []string{"b 1 duplicate"}, objects: []string{"a 2 = 2 0 0 run 1", "b 1 = 0 1 0 run 2"},
		},
		{
			name: "after a void", landed: []map[string]string{{"b": one}, {"a": one + other + hourLater}, {"c": dayLater}}, void: "e", close: true,
			rejected: []string{"a 1 duplicate", "a 2 conflict", "a 3 conflict", "b 1 voided", "c 1 conflict"},
			objects:  []string{"a 3 = 0 3 0 run 3", "b 1 = 0 1 0 run 1", "c 1 = 0 1 0 run 4"},
		},
		{
			name: "of a call whose copies are voided with it", landed: []map[string]string{{"b": one}, {"a": dayLater}, {"c": call("e", "10-07T10", 1)}}, void: "-e", close: true,
			rejected: []string{"a 1 voided", "b 1 voided", "c 1 voided"},
			objects:  []string{"a 1 = 0 1 0 run 2", "b 1 = 0 1 0 run 1", "c 1 = 0 1 0 run 3"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, tiny)
			for _, name := range []string{"raw/calls/1.jsonl", "raw/calls/2.jsonl"} {
				s.write(name, "")
			}
			for i, objects := range c.landed {
				for _, key := range slices.Sorted(maps.Keys(objects)) {
					s.write("raw/calls/"+key+".jsonl", objects[key])
				}
				s.ingest("2026-11-06T00:00:00Z")
				if i == 0 && c.void == "e" {
					s.void("2026-11-06T00:00:00Z", jobs.VoidOptions{EventID: "e"})
				}
			}
			if c.void == "-e" {
				s.void("2026-11-06T00:00:00Z", jobs.VoidOptions{EventID: "e"})
			}
			if c.close {
				if report, err := s.at("2026-11-06T00:00:00Z").Close(t.Context(), jobs.CloseOptions{Period: october, AcceptRejects: true}); err != nil || report.Run == nil {
					t.Fatalf("close: %+v, %v", report, err)
				}
				wantRows(t, "rated as used", s.ask(`SELECT concat_ws(' ', event_id, object, line) FROM rated ORDER BY ALL`),
					s.ask(`SELECT concat_ws(' ', event_id, object, line) FROM usage WHERE "time" < TIMESTAMP '2026-11-01' OR EXISTS (SELECT 1 FROM rated r WHERE r.time = usage.time) ORDER BY ALL`)...)
			}
			const short = `replace(replace(object, 'calls/', ''), '.jsonl', '')`
			wantRows(t, "usage", s.ask(`SELECT concat_ws(' ', event_id, `+short+`, line) FROM usage ORDER BY ALL`), c.usage...)
			wantRows(t, "rejected", s.ask(`SELECT concat_ws(' ', `+short+`, line, reason) FROM rejected ORDER BY ALL`), c.rejected...)
			wantRows(t, "objects", s.ask(`SELECT concat_ws(' ', `+short+`, records || ' =', events, rejects, skipped, 'run', run) FROM objects WHERE regexp_matches(object, '/[a-z]\.jsonl') ORDER BY ALL`), c.objects...)
		})
	}
}
