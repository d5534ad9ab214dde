package rate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
)

var images = []lake.Column{{Name: "status", Type: lake.DimensionType}, {Name: "images", Type: lake.IntegerQuantityType}}

const imageTable = `
table: image
version: 1
effective_from: 2026-09-01T00:00:00Z
applies_to: ["image.*"]
rules:
  - when: {status: {gte: 500}}
    charge: {credits: 0}
  - operation: image.tag
    charge: {each: images, credits: 2}
`

const imageTable2 = `
table: image
version: 2
effective_from: 2026-10-10T00:00:00Z
applies_to: ["image.*"]
rules:
  - operation: image.tag
    charge: {each: images, credits: 3}
`

func instant(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t
}

// write makes a Parquet file of rows given as the VALUES of a table's columns.
func write(t *testing.T, s *duck.Session, path string, columns []lake.Column, rows ...string) string {
	t.Helper()
	var names, typed []string
	for _, c := range columns {
		names = append(names, duck.Identifier(c.Name))
		typed = append(typed, fmt.Sprintf("CAST(%s AS %s) AS %[1]s", duck.Identifier(c.Name), c.Type))
	}
	query := "SELECT " + strings.Join(typed, ", ") + " FROM (VALUES (" + strings.Join(rows, "), (") + ")) AS t(" + strings.Join(names, ", ") + ")"
	if _, err := s.CopyParquet(context.Background(), query, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// show reads a file of rated calls, a line a row, in its order.
func show(t *testing.T, s *duck.Session, path string) (lines []string) {
	t.Helper()
	rows, err := s.Rows(context.Background(), "SELECT concat_ws(' ', event_id, account, strftime(posted_at, '%m-%dT%H:%M'), late, price_version, rule, credits, coalesce(held, '-')) FROM read_parquet(?)", path)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

func compare(t *testing.T, got []string, want ...string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

func opened(t *testing.T, s *duck.Session, accounts string) {
	mustExec(t, s, "CREATE TABLE opened_accounts AS SELECT * FROM (VALUES "+accounts+") AS t(account, opened_at)")
}

// TestRun rates fresh usage of two files: posted and late, versions by the call's
// own time, and held calls. Amsterdam is two hours ahead of UTC until 25 October.
func TestRun(t *testing.T) {
	folder := t.TempDir()
	s := benchSession(t, folder)
	opened(t, s, "('ann', TIMESTAMP '2026-01-01'), ('bob', TIMESTAMP '2026-10-31 23:00:00')")
	columns := lake.Usage.Schema(images)
	row := func(id, account, operation, at, status, images string) string {
		return fmt.Sprintf("'%s', 'web', '%s', NULL, NULL, '%s', TIMESTAMP '%s', 'o', 1, %s, %s", id, account, operation, at, status, images)
	}
	one := write(t, s, filepath.Join(folder, "1.parquet"), columns,
		row("e1", "ann", "image.tag", "2026-10-09 23:59:59.999999", "'200'", "4"),
		row("e2", "ann", "image.tag", "2026-10-10 00:00:00", "'500'", "4"),
		row("e3", "bob", "image.tag", "2026-10-20 00:00:00", "'200'", "1"),
		row("e4", "ann", "image.tag", "2026-10-31 23:00:00", "'200'", "1")) // November in Amsterdam
	two := write(t, s, filepath.Join(folder, "2.parquet"), columns,
		row("f1", "ann", "image.tag", "2026-09-15 00:00:00", "'200'", "5"), // late
		row("f2", "ann", "image.tag", "2026-09-30 21:59:59.999999", "'503'", "5"),
		row("f3", "ann", "image.tag", "2026-09-30 22:00:00", "NULL", "5"), // the first instant of October
		row("f4", "ann", "image.tag", "2026-10-05 00:00:00", "'200'", "NULL"),
		row("f5", "ann", "chat.x", "2026-10-05 00:00:00", "'200'", "1"))
	in := Input{
		Session: s, Scratch: folder, Book: mustBook(t, images, imageTable, imageTable2), Calendar: calendar(t, "Europe/Amsterdam"), Dynamic: images,
		Batches: []Batch{{Period: month(t, "2026-10"), Usage: usageScan(images, one, two), OpenStart: instant("2026-09-30T22:00:00Z")}},
	}
	report, err := Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Outputs) != 1 {
		t.Fatalf("%d outputs", len(report.Outputs))
	}
	out := report.Outputs[0]
	compare(t, show(t, s, out.Path),
		"f1 ann 09-30T22:00 true 1 2 10.000000 -",
		"f2 ann 09-30T22:00 true 1 1 0.000000 -",
		"f3 ann 09-30T22:00 false 1 2 10.000000 -",
		"f4 ann 10-05T00:00 false 1 2 0.000000 null_quantity",
		"f5 ann 10-05T00:00 false 0.000000 no_rule",
		"e1 ann 10-09T23:59 false 1 2 8.000000 -",
		"e2 ann 10-10T00:00 false 2 1 12.000000 -",
		"e3 bob 10-20T00:00 false 2 1 0.000000 account_not_opened")
	if out.Partition != "2026-10" || out.Rows != 8 || out.Columns != len(lake.Rated.Columns)+2 || out.Tags[TagHeld] != "3" || out.Tags[TagNotOpened] != "1" {
		t.Errorf("output %+v", out)
	}
	if !out.MinTime.Equal(instant("2026-09-15T00:00:00Z")) || !out.MaxTime.Equal(instant("2026-10-20T00:00:00Z")) {
		t.Errorf("times %s to %s", out.MinTime, out.MaxTime)
	}
	if report.Calls != 8 || report.Held != 3 || report.ByHeld["no_rule"] != 1 || report.Credits.String() != "40" {
		t.Errorf("report %+v credits %s", report, report.Credits)
	}
	if len(report.Versions) != 2 || report.Versions[1].Version != 2 || report.Versions[1].File != "prices/2.yaml" || len(report.Versions[0].SHA256) != 64 {
		t.Errorf("versions %+v", report.Versions)
	}
	schema(t, s, out.Path, lake.Rated.Schema(images))

	// Rated again with other prices: posted_at and late stay.
	in.Book = mustBook(t, images, strings.Replace(imageTable, "credits: 2", "credits: 7", 1))
	in.UnknownAccounts = true
	in.Batches = []Batch{{
		Period: month(t, "2026-10"), Rerate: true, OpenStart: instant("2026-11-30T23:00:00Z"),
		Usage: duck.Scan{Columns: lake.Rated.Schema(images), Groups: []duck.Group{{Files: []string{out.Path}}}},
	}}
	in.Scratch = t.TempDir()
	again := benchSession(t, folder, in.Scratch)
	in.Session = again
	opened(t, again, "('nobody', TIMESTAMP '2026-01-01')")
	report, err = Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, show(t, again, report.Outputs[0].Path),
		"f1 ann 09-30T22:00 true 1 2 35.000000 -",
		"f2 ann 09-30T22:00 true 1 1 0.000000 -",
		"f3 ann 09-30T22:00 false 1 2 35.000000 -",
		"f4 ann 10-05T00:00 false 1 2 0.000000 null_quantity",
		"f5 ann 10-05T00:00 false 0.000000 no_rule",
		"e1 ann 10-09T23:59 false 1 2 28.000000 -",
		"e2 ann 10-10T00:00 false 1 1 0.000000 -", // status 500, by version 1 now
		"e3 bob 10-20T00:00 false 1 2 7.000000 -")
	if report.Outputs[0].Tags[TagPrices] == out.Tags[TagPrices] {
		t.Error("other prices have the same fingerprint")
	}
}

// schema asserts that a file has exactly these columns and types.
func schema(t *testing.T, s *duck.Session, path string, want []lake.Column) {
	t.Helper()
	rows, err := s.Rows(context.Background(), "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet(?))", path)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []lake.Column
	for rows.Next() {
		var c lake.Column
		if err := rows.Scan(&c.Name, &c.Type); err != nil {
			t.Fatal(err)
		}
		got = append(got, c)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("columns are\n%v\nwant\n%v", got, want)
	}
}

// TestNothingToRate: no rows, no file; no tables, everything held; and a quantity
// that the lake has not recorded yet is NULL.
func TestNothingToRate(t *testing.T) {
	folder := t.TempDir()
	s := benchSession(t, folder)
	opened(t, s, "('ann', TIMESTAMP '2026-01-01')")
	file := write(t, s, filepath.Join(folder, "1.parquet"), lake.Usage.Columns, "'e1', 'web', 'ann', NULL, NULL, 'image.tag', TIMESTAMP '2026-10-05', 'o', 1")
	in := Input{Session: s, Scratch: folder, Book: mustBook(t, nil), Calendar: calendar(t, "UTC"), Batches: []Batch{
		{Period: month(t, "2026-11"), Usage: usageScan(nil, file), OpenStart: instant("2026-10-01T00:00:00Z"), Day: "2026-10-05"},
		{Period: month(t, "2026-10"), Usage: usageScan(nil, file), OpenStart: instant("2026-10-01T00:00:00Z"), Day: "2026-10-05"},
	}}
	report, err := Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Outputs) != 1 || report.Outputs[0].Partition != "2026-10" || len(report.Versions) != 0 {
		t.Fatalf("%+v", report)
	}
	compare(t, show(t, s, report.Outputs[0].Path), "e1 ann 10-05T00:00 false 0.000000 no_rule")
	schema(t, s, report.Outputs[0].Path, lake.Rated.Columns)
	if files, _ := filepath.Glob(filepath.Join(folder, "rated-2026-11*")); len(files) != 0 {
		t.Errorf("a file without rows was left: %v", files)
	}
	if err := os.Remove(report.Outputs[0].Path); err != nil {
		t.Fatal(err)
	}
	in.Book, in.Batches = mustBook(t, images, imageTable), in.Batches[1:]
	if report, err = Run(context.Background(), in); err != nil {
		t.Fatal(err)
	}
	compare(t, show(t, s, report.Outputs[0].Path), "e1 ann 10-05T00:00 false 1 2 0.000000 null_quantity")
}

// TestOneFileKeepsItsOrder: a sorted file is not sorted again, so DuckDB must keep
// its order over row groups and threads, whichever side of a join is larger.
func TestOneFileKeepsItsOrder(t *testing.T) {
	for _, test := range []struct{ calls, accounts int }{{600_000, 30_000}, {600_000, 1000}, {1000, 300_000}} { // with 1000, most accounts are not opened
		folder := t.TempDir()
		s := benchSession(t, folder)
		path := filepath.Join(folder, "usage.parquet")
		makeUsage(t, s, path, test.calls, 5)
		mustExec(t, s, fmt.Sprintf("CREATE TABLE opened_accounts AS SELECT printf('acct-%%05d', range) AS account, TIMESTAMP '2026-01-01' AS opened_at FROM range(%d)", test.accounts))
		report, err := Run(context.Background(), Input{
			Session: s, Scratch: folder, Book: mustBook(t, benchColumns, benchTable(5)), Calendar: calendar(t, "UTC"), Dynamic: benchColumns,
			Batches: []Batch{{Period: month(t, "2026-10"), Usage: usageScan(benchColumns, path), OpenStart: instant("2026-10-01T00:00:00Z")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if report.Calls != int64(test.calls) {
			t.Errorf("%d of %d calls", report.Calls, test.calls)
		}
		for _, file := range []string{path, report.Outputs[0].Path} {
			if n, where := outOfOrder(t, s, file); n != 0 {
				t.Errorf("%d calls: %d rows of %s out of order, the first %s", test.calls, n, filepath.Base(file), where)
			}
		}
	}
}

// outOfOrder counts the rows of a file that come before the row above them.
func outOfOrder(t *testing.T, s *duck.Session, file string) (n int64, first string) {
	t.Helper()
	err := s.Row(context.Background(), `SELECT count(*), coalesce(min(CAST(file_row_number AS VARCHAR) || ': ' || CAST(before AS VARCHAR) || ' above ' || CAST(here AS VARCHAR)), '')
		FROM (SELECT file_row_number, (account, time, source, event_id) AS here,
			lag((account, time, source, event_id)) OVER (ORDER BY file_row_number) AS before FROM read_parquet(?, file_row_number = true)) WHERE before > here`,
		file).Scan(&n, &first)
	if err != nil {
		t.Fatal(err)
	}
	return n, first
}

func TestRecordedTypeMustBeTheDeclaredOne(t *testing.T) {
	folder := t.TempDir()
	s := benchSession(t, folder)
	opened(t, s, "('ann', TIMESTAMP '2026-01-01')")
	recorded := []lake.Column{{Name: "images", Type: lake.DimensionType}}
	_, err := Run(context.Background(), Input{
		Session: s, Scratch: folder, Book: mustBook(t, images, imageTable), Calendar: calendar(t, "UTC"), Dynamic: recorded,
		Batches: []Batch{{Period: month(t, "2026-10"), Usage: usageScan(recorded), OpenStart: instant("2026-10-01T00:00:00Z")}},
	})
	if err == nil || !strings.Contains(err.Error(), "images is recorded in the lake as VARCHAR, but the sources declare it as BIGINT") {
		t.Error(err)
	}
}
