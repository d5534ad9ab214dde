package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
	"github.com/creditmill/creditmill/jobs"
)

// tryForget forgets, with zeros for what is random.
func (s site) tryForget(now string, o jobs.ForgetOptions) (jobs.ForgetReport, error) {
	s.t.Helper()
	if o.Reason == "" {
		o.Reason = "asked to"
	}
	o.Random = bytes.NewReader(make([]byte, 16))
	return s.at(now).Forget(s.t.Context(), o)
}

// What is under way, unknown, said in the reason, or part of a price is refused, and
// nothing is changed.
func TestForgetRefuses(t *testing.T) {
	t.Parallel()
	world := maps.Clone(tiny)
	world["sources/gateway.yaml"] = strings.Replace(tiny["sources/gateway.yaml"], "account: org,", "account: org, key: key,", 1)
	s := newSite(t, world)
	s.run(month)
	head := s.at(december).Lake.State().HeadHash
	for _, refused := range []struct {
		what    string
		options jobs.ForgetOptions
	}{
		{"a name that nobody has", jobs.ForgetOptions{Account: "ad"}},
		{"a key that nobody has", jobs.ForgetOptions{Key: "ada"}},
		{"neither", jobs.ForgetOptions{}},
		{"both", jobs.ForgetOptions{Account: "ada", Key: "ada"}},
		{"a reason that names", jobs.ForgetOptions{Account: "ada", Reason: "ada asked"}},
		{"a pseudonym", jobs.ForgetOptions{Account: nobody}},
	} {
		if _, err := s.tryForget(december, refused.options); !errors.As(err, new(jobs.ConfigError)) {
			t.Errorf("%s: %v", refused.what, err)
		}
	}
	priced := s.copied()
	priced.write("prices/api-2.yaml", `
table: api
version: 2
effective_from: 2027-01-01T00:00:00Z
applies_to: ["image.*"]
rules:
  - when: {account: "ad*"}
    charge: {credits: 1}
  - charge: {credits: 2}
`)
	if _, err := priced.tryForget(december, jobs.ForgetOptions{Account: "ada"}); !errors.As(err, new(jobs.ConfigError)) || !strings.Contains(err.Error(), "rule 1 of price table api version 2 prices by this account") {
		t.Errorf("a price by name: %v", err)
	}
	if _, err := priced.tryForget(december, jobs.ForgetOptions{Account: "bob", DryRun: true}); err != nil {
		t.Errorf("a price by another name: %v", err)
	}
	voided := s.copied()
	voided.void("2026-11-02T00:00:00Z", jobs.VoidOptions{EventID: "c1"})
	if _, err := voided.tryForget(december, jobs.ForgetOptions{Account: "ada"}); !errors.Is(err, jobs.ErrUnfinished) || !strings.Contains(err.Error(), "rerate --from 2026-10") {
		t.Errorf("a void that waits: %v", err)
	}
	if now := s.at(december).Lake.State().HeadHash; now != head {
		t.Error("a refusal has changed the log")
	}
	cut := s.copied()
	m := cut.at(december)
	run := &lake.Run{ID: lake.NewRunID(), Kind: lake.Cut, Now: m.Now(), Read: m.Lake.State().Head, Period: october.Next()}
	if err := m.Lake.Commit(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if _, err := cut.tryForget(december, jobs.ForgetOptions{Account: "ada"}); !errors.Is(err, jobs.ErrUnfinished) || !strings.Contains(err.Error(), "2026-11 is cut and not closed") {
		t.Errorf("between cut and close: %v", err)
	}
}

// A process is killed before or after operations on the store; the same command, run
// again, leaves the rows of a lake that was never disturbed, and no file with the name.
func TestACrashOfAForget(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month)
	forget := func(ctx context.Context, m attempter) error {
		_, err := m.Forget(ctx, jobs.ForgetOptions{Account: "ada", Reason: "asked to", Random: bytes.NewReader(make([]byte, 16))})
		return err
	}
	calm, counting := s.copied(), &storetest.Failing{}
	m, err := calm.open(december, wrapping(counting))
	if err == nil {
		err = forget(t.Context(), m)
	}
	if err != nil {
		t.Fatal(err)
	}
	want, operations := calm.rows(), counting.Operations()
	const crashes = 4
	if operations < 10*crashes {
		t.Fatalf("only %d store operations: the count is broken", operations)
	}
	for i := range int64(crashes) {
		n, after := operations-i*operations/crashes, i%2 == 0
		t.Run(fmt.Sprintf("%d of %d/after=%v", n, operations, after), func(t *testing.T) {
			t.Parallel()
			crashed := site{t, s.dir}.copied()
			if m, err := crashed.open(december, wrapping(&storetest.Failing{N: n, After: after})); err == nil {
				_ = forget(t.Context(), m) // it may have been the last operation, of something that does not matter
			}
			if _, err := crashed.tryForget(december, jobs.ForgetOptions{Account: "ada"}); err != nil && !strings.Contains(err.Error(), "no rows of this name") {
				t.Fatal(err)
			}
			if got := crashed.rows(); !reflect.DeepEqual(got, want) {
				t.Errorf("rows differ from an undisturbed lake's:\n got %v\nwant %v", got, want)
			}
			crashed.wantNameless("after a crash", "'account': ada", "ada/", `"ada"`)
		})
	}
}

type attempter interface {
	Forget(context.Context, jobs.ForgetOptions) (jobs.ForgetReport, error)
}

// A visited store lets another process in just before a run is committed, once.
type visitedStore struct {
	lake.Store
	visit func()
}

func (v *visitedStore) CreateIfAbsent(ctx context.Context, key string, data []byte) error {
	if visit := v.visit; visit != nil && strings.HasPrefix(key, "runs/") {
		v.visit = nil
		visit()
	}
	return v.Store.CreateIfAbsent(ctx, key, data)
}

// A run that is committed while a forget is worked out has the name: the forget is
// worked out again. So is a run that has read the name while a forget was committed.
func TestForgetAndOtherRunsAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:3])
	visiting := func(job, visit func(*jobs.Mill) error) {
		t.Helper()
		m, err := s.open("2026-10-26T00:00:00Z", func(below lake.Store) lake.Store {
			return &visitedStore{below, func() {
				if err := visit(s.at("2026-10-26T00:00:00Z")); err != nil {
					t.Error(err)
				}
			}}
		})
		if err == nil {
			err = job(m)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	ingest := func(m *jobs.Mill) error { _, err := m.Ingest(t.Context()); return err }
	rate := func(m *jobs.Mill) error { _, err := m.Rate(t.Context()); return err }
	forget := func(account string, bits byte) func(*jobs.Mill) error {
		return func(m *jobs.Mill) error {
			_, err := m.Forget(t.Context(), jobs.ForgetOptions{Account: account, Reason: "asked to", Random: bytes.NewReader(bytes.Repeat([]byte{bits}, 16))})
			return err
		}
	}
	s.write("raw/calls/3.jsonl", `
{"id":"c6","ts":"2026-10-22T10:00:00Z","org":"ada","op":"image.generate","n":1}
{"id":"c7","ts":"2026-10-22T10:00:00Z","org":"bob","op":"image.generate","n":1}
`)
	visiting(forget("ada", 0), ingest)
	visiting(rate, forget("bob", 0xff))
	other := "forgotten-" + strings.Repeat("7", 25) + "4"
	s.want("SELECT account || ' ' || event_id FROM usage ORDER BY event_id", nobody+" c1", nobody+" c2", other+" c3", other+" c4", other+" c5", nobody+" c6", other+" c7")
	s.want("SELECT account || ' ' || event_id FROM rated ORDER BY event_id", nobody+" c1", nobody+" c2", other+" c3", other+" c4", other+" c5", nobody+" c6", other+" c7")
	s.wantNameless("after all", "'account': ada", "ada/", `"ada"`, "'account': bob", "bob/", `"bob"`, "Ada", "Bob")
	s.wantRight("after all")
}
