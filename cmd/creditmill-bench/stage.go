package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/creditmill/creditmill/fixtures/load"
)

// A stage is a command of creditmill, and what it is measured against: bare DuckDB in
// its place, or other stages of the same round.
type stage struct {
	name     string
	args     []string                 // {dir} is the benchmark's folder
	baseline string                   // statement under sql/; empty: against
	input    string                   // the files it reads, as a folder and an ending, below the benchmark's own
	against  []string                 // stages before it: their times together
	aim      string                   // the ratio we hold ourselves to
	calls    func(load.Summary) int64 // how many it works on
	checks   func(context.Context, *bench, load.Summary) ([]check, error)
}

func stages() []stage {
	return []stage{
		{
			name: "ingest", args: []string{"ingest", "--now", "2026-11-01T00:30:00Z"},
			baseline: "duckdb/bench_ingest", input: "raw/gateway/*.jsonl.gz", aim: "1.5",
			calls:  func(s load.Summary) int64 { return s.Lines },
			checks: checkIngest,
		},
		{
			name: "rate", args: []string{"rate", "--now", "2026-11-01T00:40:00Z"},
			baseline: "duckdb/bench_rate", input: lakeTable("usage"), aim: "1.3",
			calls:  func(s load.Summary) int64 { return s.Events },
			checks: checkRate,
		},
		{
			name: "close", args: []string{"close", "--period", load.Period, "--accept-rejects", "--now", "2026-11-01T07:00:00Z"},
			baseline: "duckdb/bench_close", input: lakeTable("rated"), aim: "1.6",
			calls:  func(s load.Summary) int64 { return s.Events },
			checks: checkClose,
		},
		{
			name: "rerate", args: rerate(1), against: []string{"rate", "close"}, aim: "1.5",
			calls: func(s load.Summary) int64 { return s.Events },
		},
		{
			name: "rerate-3", args: rerate(3), against: []string{"rerate"}, aim: "2",
			calls: func(s load.Summary) int64 { return 3 * s.Events },
		},
	}
}

// rerate are the arguments of a dry run of the month by drafts of prices.
func rerate(drafts int) []string {
	args := []string{"rerate", "--from", load.Period, "--now", "2026-11-02T07:00:00Z"}
	for i := range drafts {
		args = append(args, "--prices", "{dir}/"+draftName(i))
	}
	return args
}

func draftName(i int) string { return fmt.Sprintf("scratch/draft-%d.yaml", i+1) }

// mostDrafts is how many drafts a stage compares.
const mostDrafts = 3

// writeDrafts writes price tables that differ from the load's: a version that charges
// more for some images.
func (b *bench) writeDrafts() error {
	files, err := b.files("prices/*.yaml")
	if err != nil {
		return err
	}
	prices, err := os.ReadFile(files[0])
	if err != nil {
		return err
	}
	for i := range mostDrafts {
		rule := fmt.Sprintf("rules:\n  - operation: image.generate\n    when: {quality: high, status: {lt: 400}}\n    charge: {each: images, credits: \"6.%d\"}\n", i+1)
		draft := strings.Replace(strings.Replace(string(prices), "version: 1\n", "version: 2\n", 1), "rules:\n", rule, 1)
		if err := os.WriteFile(filepath.Join(b.dir, filepath.FromSlash(draftName(i))), []byte(draft), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func stageNames() []string {
	var names []string
	for _, s := range stages() {
		names = append(names, s.name)
	}
	return names
}

// measured are the names of all that can be measured.
func measured() []string { return append(stageNames(), questionsStage) }

// lakeTable is where the files of a table lie. A fresh lake has replaced none of
// them, so all that lie there are live.
func lakeTable(name string) string { return "lake/data/" + name + "/*.parquet" }

// files lists, in order, what lies anywhere below the folder of pattern and has its ending.
func (b *bench) files(pattern string) ([]string, error) {
	folder, ending, _ := strings.Cut(pattern, "/*")
	var files []string
	err := filepath.WalkDir(filepath.Join(b.dir, filepath.FromSlash(folder)), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, ending) {
			files = append(files, path)
		}
		return err
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no file %s in %s", pattern, b.dir)
	}
	return files, err
}

// A check is something the pipeline counted, and what the load says it must be.
type check struct{ what, got, want string }

// query asks the live files of a table for one value. It is not measured, and takes
// the memory it needs.
func (b *bench) query(ctx context.Context, name, selects string) (string, error) {
	files, err := b.files(lakeTable(name))
	if err != nil {
		return "", err
	}
	var answer duckAnswer
	_, err = b.inChild(ctx, taskQuery, duckTask{Files: files, Scratch: b.scratch(), Query: selects}, &answer)
	return answer.Text, err
}

// expect fills in what the tables say.
func (b *bench) expect(ctx context.Context, all []expectation) ([]check, error) {
	var checks []check
	for _, e := range all {
		got, err := b.query(ctx, e.table, e.selects)
		if err != nil {
			return nil, fmt.Errorf("check of %s: %w", e.what, err)
		}
		checks = append(checks, check{e.what, got, e.want})
	}
	return checks, nil
}

type expectation struct{ what, table, selects, want string }

func checkIngest(ctx context.Context, b *bench, s load.Summary) ([]check, error) {
	const gateway = " FILTER (WHERE source = 'gateway')"
	all := []expectation{
		{"calls that became usage", "usage", "SELECT CAST(count(*) AS VARCHAR)", fmt.Sprint(s.Events)},
		{"different calls among them", "usage", "SELECT CAST(count(DISTINCT event_id) AS VARCHAR)", fmt.Sprint(s.Events)},
		{"lines rejected", "rejected", "SELECT CAST(count(*) AS VARCHAR)", fmt.Sprint(s.Duplicates() + s.Broken)},
		{"lines read", "objects", "SELECT CAST(sum(records)" + gateway + " AS VARCHAR)", fmt.Sprint(s.Lines)},
		{"read less rejected", "objects", "SELECT CAST(sum(records - rejects)" + gateway + " AS VARCHAR)", fmt.Sprint(s.Events)},
		{"account events", "account_events", "SELECT CAST(count(*) AS VARCHAR)", fmt.Sprint(s.AccountEvents)},
	}
	for _, reason := range sorted(s.Rejects) {
		all = append(all, expectation{
			"rejected as " + reason, "rejected",
			"SELECT CAST(count(*) FILTER (WHERE reason = '" + reason + "') AS VARCHAR)", fmt.Sprint(s.Rejects[reason]),
		})
	}
	return b.expect(ctx, all)
}

// creditSum leaves trailing zeros out, as Summary.Credits does.
const creditSum = "SELECT rtrim(rtrim(CAST(sum(credits) AS VARCHAR), '0'), '.')"

func checkRate(ctx context.Context, b *bench, s load.Summary) ([]check, error) {
	return b.expect(ctx, []expectation{
		{"calls rated", "rated", "SELECT CAST(count(*) AS VARCHAR)", fmt.Sprint(s.Events)},
		{"calls held", "rated", "SELECT CAST(count(held) AS VARCHAR)", "0"},
		{"credits rated", "rated", creditSum, s.Credits},
	})
}

func checkClose(ctx context.Context, b *bench, s load.Summary) ([]check, error) {
	return b.expect(ctx, []expectation{
		{"credits burned, overage and denied", "burns", creditSum, s.Credits},
		{"calls on statements", "statements", "SELECT CAST(CAST(sum(calls) AS BIGINT) AS VARCHAR)", fmt.Sprint(s.Events)},
		{"credits on statements", "statements", creditSum, s.Credits},
	})
}

// checkRerate looks at how many calls a dry run says it has looked at, and that its
// drafts change something.
func checkRerate(said []byte, s load.Summary) ([]check, error) {
	var document struct {
		Calls  int64                      `json:"calls"`
		Drafts []struct{ Accounts int64 } `json:"drafts"`
	}
	if err := json.Unmarshal(said, &document); err != nil {
		return nil, err
	}
	changed := 0
	for _, draft := range document.Drafts {
		if draft.Accounts > 0 {
			changed++
		}
	}
	return []check{
		{"calls replayed", fmt.Sprint(document.Calls), fmt.Sprint(s.Events)},
		{"drafts that change accounts", fmt.Sprint(changed), fmt.Sprint(len(document.Drafts))},
	}, nil
}
