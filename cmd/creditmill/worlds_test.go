package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/creditmill/creditmill/fixtures"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
)

// Every world gives, table by table and cell by cell, what its README works out
// by hand.
func TestWorldsGiveTheirExpectedResults(t *testing.T) {
	for _, name := range fixtures.Worlds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			world, err := fixtures.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), name)
			if err := makeDemoFolder(dir, world); err != nil {
				t.Fatal(err)
			}
			config := filepath.Join(dir, defaultConfig)
			runSteps(t, world, config)
			compareWorld(t, world, config)
			compareViews(t, world, config)
			compareAnswers(t, "demo/"+name, config)
			compareMonthPages(t, name, config)
			checkNumbers(t, config)
			compareExports(t, world, config)
			if name == "scraper" { // three currencies, and text of every kind
				compareTableExports(t, config)
			}
			if name == "imagegen" { // the world of docs/query.md
				compareQueryPage(t, config)
			}
			checkClauses(t, name, config)
			readEveryTable(t, config)
			checkDictionary(t, config)
			checkHistories(t, config)
			readPublished(t, config)
			compareDocuments(t, config)
			lookAround(t, world, config)
			verifyWorld(t, config)
		})
	}
}

// The real calls of ../shared/data: all are rated, none is rejected, and the two
// accounts use exactly these credits.
func TestRealCallsAreBilledToTheLastDigit(t *testing.T) {
	t.Parallel()
	data, err := filepath.Abs("../../../shared/data/azure-llm-2023")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"code.csv", "conv.csv"} {
		if _, err := os.Stat(filepath.Join(data, name)); err != nil {
			t.Fatalf("the real calls are missing: %v", err)
		}
	}
	models, err := fixtures.Open("models")
	if err != nil {
		t.Fatal(err)
	}
	world, err := fs.Sub(models, "azure")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, world); err != nil {
		t.Fatal(err)
	}
	// Read where they lie: only the way there is another one from here.
	config := filepath.Join(dir, defaultConfig)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	there := bytes.Replace(text, []byte("raw: ../../../../shared/data/azure-llm-2023"), []byte("raw: "+data), 1)
	if bytes.Equal(there, text) {
		t.Fatal("azure/creditmill.yaml does not read ../../../../shared/data/azure-llm-2023")
	}
	if err := os.WriteFile(config, there, 0o600); err != nil {
		t.Fatal(err)
	}
	runSteps(t, world, config)
	compareWorld(t, world, config)
	compareViews(t, world, config)
	got := call(t, "query", "--config", config, "--format", "csv",
		"SELECT account, count(*) AS calls, sum(credits) AS credits, count(held) AS held FROM rated GROUP BY account ORDER BY account")
	if want := "account,calls,credits,held\ncode,8819,5713067.400000,0\nconv,19366,11614959.000000,0\n"; got != want {
		t.Errorf("rated:\n%s\nwant\n%s", got, want)
	}
	if got := call(t, "query", "--config", config, "--format", "csv", "SELECT count(*) AS rejects FROM rejected"); got != "rejects\n0\n" {
		t.Errorf("rejected: %s", got)
	}
	checkClauses(t, "models/azure", config)
	readEveryTable(t, config)
}

// call runs a command line in this process and returns its standard output.
func call(t *testing.T, args ...string) string {
	t.Helper()
	out, code := tryCall(t, args...)
	if code != exitDone {
		t.Fatalf("creditmill %s: exit code %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

func tryCall(t *testing.T, args ...string) (stdout string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	a := &app{name: "creditmill", stdout: &out, stderr: &errs, clock: time.Now}
	if code = a.run(context.Background(), args); code != exitDone {
		t.Logf("creditmill %s: exit code %d\n%s", strings.Join(args, " "), code, errs.String())
	}
	return out.String(), code
}

// runSteps runs the steps of demo.yaml, a command line each, and each twice: the
// second time it changes nothing and says so.
func runSteps(t *testing.T, world fs.FS, config string) {
	t.Helper()
	script, err := readDemoScript(world)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range script.Steps {
		args := []string{step.Command, "--config", config, "--now", period.FormatInstant(step.Now)}
		if !step.Period.IsZero() {
			args = append(args, "--period", step.Period.String())
		}
		call(t, args...)
		before := call(t, "runs", "--config", config, "--json", "--limit", "1000")
		again := call(t, args...)
		nothing := map[string]string{
			"ingest": "Nothing new has landed.", "rate": "Nothing to rate: ", "apply": "Nothing has changed in ", "close": " is closed already, by run ",
		}
		if !strings.Contains(again, nothing[step.Command]) {
			t.Errorf("%s, run a second time, says:\n%s", step.Command, again)
		}
		if after := call(t, "runs", "--config", config, "--json", "--limit", "1000"); after != before {
			t.Errorf("%s, run a second time, committed something:\n%s", step.Command, after)
		}
	}
}

// lookAround runs what demo.yaml tells a newcomer to look at next.
func lookAround(t *testing.T, world fs.FS, config string) {
	t.Helper()
	script, err := readDemoScript(world)
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range script.Look {
		line, text, quoted := strings.Cut(strings.TrimPrefix(command, "creditmill "), ` "`)
		args := append(strings.Fields(line), "--config", config)
		if quoted {
			args = append(args, strings.TrimSuffix(text, `"`))
		}
		if args[0] == "report" {
			args = append(args, "--to", filepath.Join(t.TempDir(), "page.html"))
		}
		if out := call(t, args...); out == "" {
			t.Errorf("%s prints nothing", command)
		}
	}
}

// compareWorld compares every expected/TABLE.csv with the live table: the columns
// that it has, and all rows, whatever their order.
func compareWorld(t *testing.T, world fs.FS, config string) {
	t.Helper()
	files, err := fs.Glob(world, "expected/*.csv")
	if err != nil || len(files) == 0 {
		t.Fatalf("no expected results: %v", err)
	}
	for _, name := range files {
		table := strings.TrimSuffix(filepath.Base(name), ".csv")
		text, err := fs.ReadFile(world, name)
		if err != nil {
			t.Fatal(err)
		}
		want := readCSV(t, string(text))
		columns := make([]string, len(want[0]))
		for i, c := range want[0] {
			columns[i] = `"` + c + `"`
		}
		got := readCSV(t, call(t, "query", "--config", config, "--format", "csv", "SELECT "+strings.Join(columns, ", ")+" FROM "+table))
		compareTable(t, table, got, want)
	}
}

func readCSV(t *testing.T, text string) [][]string {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return records
}

// compareTable lists the rows that only one side has. Rows that differ in few
// cells are shown together, with these cells.
func compareTable(t *testing.T, table string, got, want [][]string) {
	t.Helper()
	columns := want[0]
	missing, surplus := difference(canonical(want[1:]), canonical(got[1:])), difference(canonical(got[1:]), canonical(want[1:]))
	if len(missing)+len(surplus) == 0 {
		return
	}
	t.Errorf("table %s: %d expected rows are not there, %d rows are not expected", table, len(missing), len(surplus))
	for _, w := range missing {
		best, cells := -1, ""
		for i, g := range surplus {
			if d := cellDifferences(columns, g, w); best < 0 || strings.Count(d, "\n") < strings.Count(cells, "\n") {
				best, cells = i, d
			}
		}
		if best < 0 || strings.Count(cells, "\n") > len(columns)/2 {
			t.Errorf("%s: missing %s", table, strings.Join(w, ","))
			continue
		}
		t.Errorf("%s: row %s\n%s", table, strings.Join(w, ","), cells)
		surplus = slices.Delete(surplus, best, best+1)
	}
	for _, g := range surplus {
		t.Errorf("%s: surplus %s", table, strings.Join(g, ","))
	}
}

func cellDifferences(columns, got, want []string) string {
	var out strings.Builder
	for i, column := range columns {
		if got[i] != want[i] {
			fmt.Fprintf(&out, "    %s: got %q, want %q\n", column, got[i], want[i])
		}
	}
	return out.String()
}

var decimalPattern = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?(E-?[0-9]+)?$`)

// canonical writes every number in one way, so that 40 is 40.000000.
func canonical(rows [][]string) [][]string {
	all := make([][]string, len(rows))
	for i, row := range rows {
		all[i] = make([]string, len(row))
		for j, value := range row {
			all[i][j] = value
			if number, ok := new(big.Rat).SetString(value); ok && decimalPattern.MatchString(value) {
				all[i][j] = trimmed(number.FloatString(12))
			}
		}
	}
	return all
}

// difference are the rows of a that b does not have, as often as a has them.
func difference(a, b [][]string) [][]string {
	counts := map[string]int{}
	for _, row := range b {
		counts[strings.Join(row, "\x00")]++
	}
	var only [][]string
	for _, row := range a {
		if key := strings.Join(row, "\x00"); counts[key] > 0 {
			counts[key]--
		} else {
			only = append(only, row)
		}
	}
	return only
}

// readEveryTable opens every live file with a Parquet reader that is not DuckDB's
// and compares names and types with SPEC section 11.
func readEveryTable(t *testing.T, config string) {
	t.Helper()
	a := &app{name: "creditmill", stdout: os.Stdout, stderr: os.Stderr, clock: time.Now, config: config}
	m, done, err := a.open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	state := m.Lake.State()
	for _, table := range lake.Tables() {
		for _, live := range state.Files(table) {
			path, err := m.Lake.Path(context.Background(), live)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, c := range table.Schema(state.Columns)[:live.Columns] {
				want = append(want, c.Name+" "+c.Type)
			}
			got, rows := parquetSchema(t, path)
			if !slices.Equal(got, want) {
				t.Errorf("%s has the columns\n  %v\nwant\n  %v", live.Path, got, want)
			}
			if rows != live.Rows {
				t.Errorf("%s has %d rows, its manifest says %d", live.Path, rows, live.Rows)
			}
		}
	}
}

// parquetSchema reads a file's rows with arrow-go and returns its columns as
// "name TYPE" in the words of SPEC section 11.
func parquetSchema(t *testing.T, path string) (columns []string, rows int64) {
	t.Helper()
	read := readParquet(t, path)
	defer read.Release()
	for _, field := range read.Schema().Fields() {
		columns = append(columns, field.Name+" "+sqlType(field.Type))
	}
	return columns, read.NumRows()
}

func sqlType(t arrow.DataType) string {
	switch t := t.(type) {
	case *arrow.StringType:
		return "VARCHAR"
	case *arrow.Int64Type:
		return "BIGINT"
	case *arrow.Int32Type:
		return "INTEGER"
	case *arrow.BooleanType:
		return "BOOLEAN"
	case *arrow.Date32Type:
		return "DATE"
	case *arrow.TimestampType:
		if t.Unit == arrow.Microsecond && t.TimeZone == "" {
			return "TIMESTAMP"
		}
	case arrow.DecimalType:
		return fmt.Sprintf("DECIMAL(%d,%d)", t.GetPrecision(), t.GetScale())
	}
	return t.String()
}
