package invoice

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
)

// A naiveCall is a call as the test knows it.
type naiveCall struct {
	account, source, operation, project, key, event string
	time, postedAt, credits                         int64
	late                                            bool
}

func (c *naiveCall) String() string {
	return fmt.Sprint(c.account, "|", c.postedAt, "|", c.time, "|", c.source, "|", c.event, "|", c.operation, "|", c.project, "|", c.key, "|", c.credits, "|", c.late)
}

// burningOrder is SPEC section 6, Calls, account by account.
func burningOrder(a, b naiveCall) int {
	return cmp.Or(
		strings.Compare(a.account, b.account), cmp.Compare(a.postedAt, b.postedAt), cmp.Compare(a.time, b.time),
		strings.Compare(a.source, b.source), strings.Compare(a.event, b.event))
}

// walk reads the calls to their end.
func (c *calls) walk(t rapid.TB) (all []string) {
	for {
		account, ok := c.peek()
		if !ok {
			return all
		}
		if err := c.each(func(row call) error {
			n := naiveCall{
				account, c.source.text(row.name(callSource)), c.operation.text(row.name(callOperation)), c.project.text(row.name(callProject)),
				c.keys.text(row.name(callKey)), string(row.event()), row.long(callTime), row.long(callPostedAt), row.long(callCredits), row.late(),
			}
			all = append(all, n.String())
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// deal has the calls dealt out and sorted, a part for at most that many of them.
func deal(t rapid.TB, scratch string, list []naiveCall, most int) *calls {
	c := &calls{Dealt: newDealt(scratch, false, nil), once: true, cancel: func() {}}
	numbers := map[string]int{}
	for _, account := range accountsOf(list) {
		numbers[account] = len(c.accounts)
		c.accounts, c.sizes = append(c.accounts, account), append(c.sizes, 0)
	}
	for i := range list {
		c.sizes[numbers[list[i].account]]++
	}
	c.divide(most)
	parts := make([]int32, len(c.accounts))
	for part, r := range c.ranges {
		for i := r.first; i < r.end; i++ {
			parts[i] = int32(part)
		}
	}
	out := c.spool.Writer()
	number := func(n *names, text string) uint32 {
		if text == "" {
			return noName
		}
		return n.add(nil, 1, func(int) string { return text })[0]
	}
	for i := range list {
		n := &list[i]
		account := numbers[n.account]
		bytes, err := out.Row(parts[account], callText+len(n.event))
		if err != nil {
			t.Fatal(err)
		}
		call(bytes).fill(&callRow{
			time: n.time, postedAt: n.postedAt, credits: n.credits, account: uint32(account),
			source: number(c.source, n.source), operation: number(c.operation, n.operation), project: number(c.project, n.project),
			key: number(c.keys, n.key), late: n.late, event: n.event,
		})
	}
	for _, n := range []*names{c.source, c.operation, c.project, c.keys} {
		n.rank()
	}
	if err := errors.Join(out.Flush(), c.begin(context.Background())); err != nil {
		t.Fatal(err)
	}
	return c
}

func accountsOf(list []naiveCall) []string {
	var all []string
	for i := range list {
		all = append(all, list[i].account)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func wantOrder(list []naiveCall) (all []string) {
	sorted := slices.SortedFunc(slices.Values(list), burningOrder)
	for i := range sorted {
		all = append(all, sorted[i].String())
	}
	return all
}

// Calls come in burning order whatever the order they are dealt in, however they
// fall into parts: late ones first, and equal times by the source's name, then the id.
func TestCallsComeInBurningOrder(t *testing.T) {
	const start = 1_000_000
	rapid.Check(t, func(t *rapid.T) {
		scratch, err := os.MkdirTemp("", "calls-*")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(scratch)
		var list []naiveCall
		for i := range rapid.IntRange(0, 200).Draw(t, "calls") {
			pick := func(what string, from ...string) string { return rapid.SampledFrom(from).Draw(t, what) }
			n := naiveCall{
				account: pick("account", "a", "b", "a b", "ä", "z", "zz"), source: pick("source", "web", "api", "batch"),
				operation: pick("operation", "embed", "chat"), project: pick("project", "", "p"), key: pick("key", "", "k", "l"),
				event: pick("id", "", "x", "yy", "a long id of more than eight bytes") + strconv.Itoa(i),
				time:  start + rapid.Int64Range(0, 5).Draw(t, "time"), credits: rapid.Int64Range(0, 1e12).Draw(t, "credits"),
			}
			n.postedAt = n.time
			if n.late = rapid.Bool().Draw(t, "late"); n.late {
				n.time, n.postedAt = n.time-start, start
			}
			list = append(list, n)
		}
		most := rapid.IntRange(1, 300).Draw(t, "most calls of a part")
		c := deal(t, scratch, list, most)
		got, want := c.walk(t), wantOrder(list)
		if err := c.close(); err != nil || !slices.Equal(got, want) {
			t.Fatalf("%v, got\n%s\nwant\n%s", err, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// A part has several accounts only where they fit, and an account is in one part.
func TestPartsAreRangesOfAccounts(t *testing.T) {
	c := Dealt{sizes: []int{3, 3, 4, 1, 100, 1, 2, 9, 9}}
	c.divide(10)
	if got, want := fmt.Sprint(c.ranges), "[{0 3} {3 4} {4 5} {5 7} {7 8} {8 9}]"; got != want {
		t.Errorf("%s, not %s", got, want)
	}
	var none Dealt
	if none.divide(10); len(none.ranges) != 0 {
		t.Error(none.ranges)
	}
}

// One account may have more calls than a part otherwise has, and more than the spool holds back.
func TestAnAccountLargerThanAPart(t *testing.T) {
	var list []naiveCall
	for i := range 300_000 {
		at := int64(i) * 7919 % 300_000 / 2 // two calls an instant
		list = append(list, naiveCall{account: "giant", source: "api", operation: "op", event: strconv.Itoa(i), time: at, postedAt: at, credits: int64(i)})
	}
	for i := range 1000 {
		list = append(list, naiveCall{account: "g" + strconv.Itoa(i), source: "api", operation: "op", event: "x", time: 5, postedAt: 5})
	}
	c := deal(t, t.TempDir(), list, 500)
	defer func() { must(t, c.close()) }()
	if !slices.Equal(c.walk(t), wantOrder(list)) {
		t.Error("not in order")
	}
}

// ratedFile writes live_rated as a file of small row groups in no order.
func (w *world) ratedFile(folder string) string {
	w.t.Helper()
	path := filepath.Join(folder, "rated.parquet")
	w.exec("COPY (SELECT " + columnList(lake.Rated.Columns, false) + " FROM live_rated ORDER BY hash(event_id)) TO " + duck.Literal(path) +
		" (FORMAT parquet, ROW_GROUP_SIZE 2048)")
	return path
}

// Read from files, held calls among them, a period burns as it does from the view.
func TestRatedFilesBurnAsTheViewDoes(t *testing.T) {
	w := smallWorld(t)
	w.call("2026-10", "h1", "acme", "op", "k", "2026-10-05 00:00:00", "0", "no_rule")
	w.call("2026-10", "h2", "nobody", "op", "", "2026-10-05 00:00:00", "0", "account_not_opened")
	w.exec(`INSERT INTO live_rated BY NAME SELECT '2026-10' AS period, 'n' || i AS event_id, ['api', 'web'][1 + i % 2] AS source, 'acme' AS account,
		['op', 'chat'][1 + i % 3 % 2] AS operation, nullif('p' || (i % 5), 'p0') AS project,
		TIMESTAMP '2026-10-06' + to_seconds(i // 4) AS time, time AS posted_at, NULL AS late, CAST(i % 7 AS DECIMAL(18, 6)) AS credits
		FROM range(10000) r(i)`)
	var dumps []string
	for _, files := range [][]string{nil, {w.ratedFile(w.input.Scratch)}} {
		w.input.RatedFiles = files
		w.close("2026-10", "2026-11-01T06:00:00Z")
		var dump []string
		for _, table := range []string{"burns", "ledger", "balances", "statements", "invoices", "revenue"} {
			dump = append(dump, w.rows("SELECT CAST(t AS VARCHAR) FROM live_"+table+" AS t"))
			w.exec("DELETE FROM live_" + table)
		}
		dumps = append(dumps, strings.Join(dump, "\n"))
	}
	if dumps[0] != dumps[1] || !strings.Contains(dumps[0], "n9999") {
		t.Errorf("from the view:\n%.2000s\nfrom files:\n%.2000s", dumps[0], dumps[1])
	}
}

// Files that are not those of the view are told.
func TestRatedFilesMustBeTheView(t *testing.T) {
	w := smallWorld(t)
	file := w.ratedFile(w.input.Scratch)
	for _, test := range []struct{ files, id, want string }{
		{file + " " + file, "", `account "acme" has 2 calls in rated`},
		{file, "c3", `account "acme" has 3 calls in rated`},
	} {
		if test.id != "" {
			w.call("2026-10", test.id, "acme", "op", "", "2026-10-05 00:00:00", "1", "")
		}
		w.input.RatedFiles = strings.Fields(test.files)
		if _, err := w.run("2026-10", "2026-11-01T06:00:00Z", false); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Error(err)
		}
	}
	w.input.RatedFiles = []string{filepath.Join(w.input.Scratch, "missing.parquet")}
	if _, err := w.run("2026-10", "2026-11-01T06:00:00Z", false); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	w.exec("DELETE FROM live_rated WHERE event_id <> 'c1'")
	w.exec("UPDATE live_rated SET credits = -1")
	w.input.RatedFiles = nil
	if _, err := w.run("2026-10", "2026-11-01T06:00:00Z", false); err == nil || !strings.Contains(err.Error(), `call "c1" has credits that cannot be: -1`) {
		t.Error(err)
	}
}

// What a run reads and writes at a time leaves nothing behind and nothing waiting.
func TestCallsEndEarly(t *testing.T) {
	var list []naiveCall
	for i := range 50 {
		list = append(list, naiveCall{account: strconv.Itoa(i), source: "api", operation: "op", event: "x"})
	}
	scratch := t.TempDir()
	c := deal(t, scratch, list, 1)
	must(t, c.each(func(call) error { return nil }))
	must(t, c.close())
	left, err := os.ReadDir(scratch)
	must(t, err)
	if len(left) > 0 {
		t.Errorf("%d files left, such as %s", len(left), left[0].Name())
	}
}
