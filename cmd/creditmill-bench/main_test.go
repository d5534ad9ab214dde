package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/duck"
)

// The test program is also the benchmark's child, and a stand-in for creditmill
// that writes just what the benchmark's statements and checks read.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 || strings.HasPrefix(os.Args[1], "-") {
		os.Exit(m.Run())
	}
	ctx := context.Background()
	var err error
	if os.Args[1] == childCommand {
		err = run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	} else {
		err = standIn(ctx, os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// lose makes the stand-in drop one call while it rates.
const lose = "CREDITMILL_BENCH_TEST_LOSE"

func standIn(ctx context.Context, args []string) error {
	if args[0] == "version" {
		fmt.Println("creditmill stand-in")
		return nil
	}
	dir := filepath.Dir(args[slices.Index(args, "--config")+1])
	text, err := os.ReadFile(filepath.Join(dir, "load.json"))
	if err != nil {
		return err
	}
	var k kept
	if err := json.Unmarshal(text, &k); err != nil {
		return err
	}
	session, err := duck.Open(ctx, duck.Options{Scratch: dir})
	if err != nil {
		return err
	}
	defer session.Close()
	write := func(table, query string) error {
		path := filepath.Join(dir, "lake", "data", table, "day=1", "1.parquet")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		_, err := session.CopyParquet(ctx, query, path)
		return err
	}
	s := k.Summary
	rated := s.Events
	if os.Getenv(lose) != "" {
		rated--
	}
	const usage = `SELECT 'e' || n AS event_id, 'gateway' AS source, 'a' || n %% 9 AS account, 'p' AS project, 'k' AS "key",
		'o' AS operation, TIMESTAMP '2026-10-01' + to_seconds(n) AS "time", 'x' AS object, n AS line, 'high' AS quality`
	switch args[0] {
	case "ingest":
		var rejects []string
		for reason, n := range s.Rejects {
			rejects = append(rejects, fmt.Sprintf("SELECT '%s' AS reason FROM range(%d)", reason, n))
		}
		for table, query := range map[string]string{
			"usage":    fmt.Sprintf(usage+" FROM range(%d) AS r(n)", s.Events),
			"rejected": strings.Join(rejects, " UNION ALL "),
			"objects": fmt.Sprintf("SELECT 'gateway' AS source, %d AS records, %d AS rejects UNION ALL SELECT 'accounts', 5, 1",
				s.Lines, s.Duplicates()+s.Broken),
			"account_events": fmt.Sprintf("FROM range(%d)", s.AccountEvents),
		} {
			if err := write(table, query); err != nil {
				return err
			}
		}
		return nil
	case "rate":
		return write("rated", fmt.Sprintf(usage+`, "time" AS posted_at, CAST(NULL AS VARCHAR) AS held,
			CAST(CASE n WHEN 0 THEN '%s' ELSE '0' END AS DECIMAL(18,6)) AS credits FROM range(%d) AS r(n)`, s.Credits, rated))
	case "close":
		if err := write("burns", "SELECT CAST('"+s.Credits+"' AS DECIMAL(18,6)) AS credits"); err != nil {
			return err
		}
		return write("statements", fmt.Sprintf("SELECT 'a1' AS account, %d AS calls, CAST('%s' AS DECIMAL(38,6)) AS credits", s.Events, s.Credits))
	case "query":
		if name := args[slices.Index(args, "--question")+1]; name == "account" && args[slices.Index(args, "--account")+1] != "a1" {
			return fmt.Errorf("the account is %v", args)
		}
		fmt.Printf("account,rated,difference,stated\n,%s,0.000000,%s\na1,1,0,1\n", s.Credits, s.Credits)
		return nil
	case "report":
		return os.WriteFile(args[slices.Index(args, "--to")+1], make([]byte, 1_234_567), 0o600)
	case "rerate":
		drafts := make([]string, 0, len(args))
		for i, arg := range args {
			if arg != "--prices" {
				continue
			}
			if _, err := os.Stat(args[i+1]); err != nil {
				return err
			}
			drafts = append(drafts, `{"accounts": 1}`)
		}
		fmt.Printf(`{"calls": %d, "drafts": [%s]}`, rated, strings.Join(drafts, ", "))
		return nil
	}
	return fmt.Errorf("what is %s?", args[0])
}

// benchmark runs the whole program on a small load.
func benchmark(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out, progress bytes.Buffer
	err = run(t.Context(), append([]string{"-calls", "3000", "-accounts", "20", "-memory", "200MB", "-creditmill", self}, args...), nil, &out, &progress)
	return out.String(), progress.String(), err
}

func TestWholeRun(t *testing.T) {
	dir := t.TempDir()
	stdout, stderr, err := benchmark(t, "-dir", dir, "-repeat", "2", "-markdown")
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	// Of 3,000 lines 30 are to be copies. One at the head of an object would be none; with this seed there is none such.
	for _, want := range []string{
		"| stage | calls | calls/s | wall s | CPU s | peak MB | against | wall s | peak MB | ratio | aim |",
		"| ingest | 3000 |", "| rate | 29", "| close | 29", "| rerate | 29", "| rerate-3 | 8", "| rate + close |", "| calls replayed |",
		"| lines read | 3000 | 3000 | equal |", "| credits on statements |",
		"(30 copies, 3 broken) by 20 accounts", "creditmill stand-in; DuckDB v",
		"| question | answer | wall s | CPU s | peak MB | aim |", "| invoiced | 2 rows |", "| report | 1.23 MB |", "| credits by the question reconcile |",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout, "WRONG") || strings.Contains(stdout, "not known") {
		t.Errorf("something is wrong or not known:\n%s", stdout)
	}
	// Two rounds of three stages that are measured against it, with bare DuckDB before and after each.
	if n := strings.Count(stderr, "bare DuckDB"); n != 12 {
		t.Errorf("%d baselines, want 12:\n%s", n, stderr)
	}
	if strings.Count(stderr, "rows\ningest  creditmill") != 2 || !strings.Contains(stderr, "ingest  bare DuckDB") || !strings.Contains(stderr, "3000 rows") {
		t.Errorf("progress:\n%s", stderr)
	}

	_, stderr, err = benchmark(t, "-dir", dir, "-stages", "rate")
	if err != nil || !strings.Contains(stderr, "load    taken from "+dir) || strings.Contains(stderr, "ingest  bare") || !strings.Contains(stderr, "rate    bare") {
		t.Errorf("again, rate alone: %v\n%s", err, stderr)
	}
	// The lake was rated alone: questions need it closed. Then they are asked of the lake that lies there.
	for _, closes := range []bool{true, false} {
		stdout, stderr, err = benchmark(t, "-dir", dir, "-stages", "questions", "-markdown")
		if err != nil || strings.Contains(stderr, "close   creditmill") != closes || strings.Contains(stdout, "| stage |") || !strings.Contains(stdout, "| reconcile | 2 rows |") {
			t.Errorf("questions alone, closing the month %t: %v\n%s", closes, err, stderr)
		}
	}
	if _, _, err = benchmark(t, "-dir", dir, "-seed", "2"); err == nil || !strings.Contains(err.Error(), "holds another load") {
		t.Errorf("another load in the same folder: %v", err)
	}
}

func TestWrongTotalFails(t *testing.T) {
	t.Setenv(lose, "1")
	stdout, _, err := benchmark(t, "-stages", "rate")
	if err == nil || !strings.Contains(err.Error(), "1 of ") || !strings.Contains(err.Error(), "calls rated: got ") {
		t.Errorf("a lost call: %v", err)
	}
	if !strings.Contains(stdout, "WRONG") {
		t.Errorf("the table does not show it:\n%s", stdout)
	}
}

func TestFlags(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"-stages rate,bill", `there is no stage "bill", only ingest, rate, close, rerate, rerate-3, questions`},
		{"-calls 999", "-calls is at least 1000"},
		{"-repeat 0", "at least 1"},
		{"more", `"more" is no flag`},
		{"-creditmill nowhere/creditmill", "`make build` makes it"},
	} {
		if _, _, err := benchmark(t, strings.Fields(c.args)...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.args, err, c.want)
		}
	}
}

// A program that fails is reported with what it said.
func TestFailureSaysWhy(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := measure(t.Context(), nil, self, "bill", "--config", "x/creditmill.yaml"); err == nil || !strings.Contains(err.Error(), "load.json: no such file") {
		t.Errorf("got %v", err)
	}
}

func TestMean(t *testing.T) {
	got := mean([]cost{{wall: 2 * time.Second, cpu: 3 * time.Second, peak: 10}, {wall: 4 * time.Second, cpu: 4 * time.Second, peak: 8}})
	if want := (cost{3 * time.Second, 3500 * time.Millisecond, 10}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := mean(nil); got != (cost{}) {
		t.Errorf("of nothing: %+v", got)
	}
}

// The credits of a load have no trailing zeros, and neither has the check's sum.
func TestCreditSumText(t *testing.T) {
	dir := t.TempDir()
	session, err := duck.Open(t.Context(), duck.Options{Scratch: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	for given, want := range map[string]string{"1200": "1200", "0.5": "0.5", "12.000001": "12.000001"} {
		var got string
		row := session.Row(t.Context(), creditSum+" FROM (SELECT CAST(? AS DECIMAL(18,6)) AS credits)", given)
		if err := row.Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %q, %v", given, got, err)
		}
	}
}
