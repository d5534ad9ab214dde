package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/jobs"
)

// A usageDocument is what `export usage --account` prints, as its readers take it.
type usageDocument struct {
	Account, Period, From, To string
	Provisional               bool
	Run                       int64
	Summary                   []map[string]any
	Calls                     []map[string]any
}

func readUsage(t *testing.T, text string) usageDocument {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	var d usageDocument
	if err := decoder.Decode(&d); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return d
}

// flat is a cell as the expected results write it.
func flat(value any) string {
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

// pick are cells of rows by the names of columns.
func pick(rows []map[string]any, columns []string) [][]string {
	table := [][]string{columns}
	for _, row := range rows {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = flat(row[c])
		}
		table = append(table, cells)
	}
	return table
}

// expectedRows are the rows of a world's expected/TABLE.csv of an account and period.
func expectedRows(t *testing.T, world fs.FS, table, account, period string) []map[string]any {
	t.Helper()
	text, err := fs.ReadFile(world, "expected/"+table+".csv")
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]any
	records := readCSV(t, string(text))
	for _, record := range records[1:] {
		row := map[string]any{}
		for i, c := range records[0] {
			row[c] = record[i]
		}
		if row["account"] == account && row["period"] == period {
			rows = append(rows, row)
		}
	}
	return rows
}

// compareExports compares every account's usage of every month, as it is exported,
// with what the world's README works out by hand: the summary is the statement, the
// calls are those rated, who paid are the burns. CSV and Parquet have the same rows.
func compareExports(t *testing.T, world fs.FS, config string) {
	t.Helper()
	text, err := fs.ReadFile(world, "expected/statements.csv")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[[2]string]bool{}
	months := map[string]bool{}
	for _, record := range readCSV(t, string(text))[1:] {
		month, account := record[0], record[1]
		if seen[[2]string{month, account}] {
			continue
		}
		seen[[2]string{month, account}] = true
		line := []string{"export", "usage", "--config", config, "--account", account, "--period", month}
		d := readUsage(t, call(t, line...))
		if d.Account != account || d.Period != month || d.Provisional {
			t.Errorf("export of %s, %s says %s, %s, provisional %t", account, month, d.Account, d.Period, d.Provisional)
		}
		compareUsage(t, world, d)
		if !months[month] { // the first account of each month stands for all
			months[month] = true
			compareFormats(t, config, line, d)
		}
	}
}

func compareUsage(t *testing.T, world fs.FS, d usageDocument) {
	t.Helper()
	name := "export of " + d.Account + ", " + d.Period + ": "
	statement := []string{"operation", "project", "key", "calls", "credits", "late_calls", "held_calls", "value", "currency"}
	used := slices.DeleteFunc(expectedRows(t, world, "statements", d.Account, d.Period), func(row map[string]any) bool { return row["operation"] == "" })
	compareTable(t, name+"summary", pick(d.Summary, statement), pick(used, statement))

	rated := expectedRows(t, world, "rated", d.Account, d.Period)
	var columns []string
	if len(rated) > 0 {
		for c := range rated[0] {
			if !slices.Contains([]string{"account", "period", "object", "line"}, c) {
				columns = append(columns, c)
			}
		}
	}
	slices.Sort(columns)
	var calls, burns []map[string]any
	for _, c := range d.Calls {
		call := map[string]any{}
		for name, value := range c {
			switch value := value.(type) {
			case map[string]any: // dimensions, quantities
				for name, value := range value {
					if value == nil {
						t.Errorf("%scall %v: %s is null, and should not be there", name, c["event_id"], name)
					}
					call[name] = value
				}
			case []any: // paid_by
				for _, part := range value {
					burn := map[string]any{"source": c["source"], "event_id": c["event_id"], "posted_at": c["posted_at"]}
					part, _ := part.(map[string]any)
					for name, value := range part {
						burn[name] = value
					}
					burns = append(burns, burn)
				}
			default:
				call[name] = value
			}
		}
		if _, ok := c["paid_by"].([]any); !ok {
			t.Errorf("%scall %v: nobody is said to have paid: %v", name, c["event_id"], c["paid_by"])
		}
		calls = append(calls, call)
	}
	compareTable(t, name+"calls", pick(calls, columns), pick(rated, columns))
	paid := []string{"posted_at", "source", "event_id", "bucket_id", "kind", "credits"}
	compareTable(t, name+"paid_by", pick(burns, paid), pick(expectedRows(t, world, "burns", d.Account, d.Period), paid))
	if !slices.IsSortedFunc(d.Calls, func(a, b map[string]any) int {
		at := func(call map[string]any, column string) time.Time {
			instant, err := time.Parse(time.RFC3339Nano, flat(call[column]))
			if err != nil {
				t.Fatal(err)
			}
			return instant
		}
		return cmp.Or(at(a, "posted_at").Compare(at(b, "posted_at")), at(a, "time").Compare(at(b, "time")),
			cmp.Compare(flat(a["source"]), flat(b["source"])), cmp.Compare(flat(a["event_id"]), flat(b["event_id"])))
	}) {
		t.Errorf("%sthe calls are not in burning order", name)
	}
}

// compareFormats exports the same usage as CSV and Parquet.
func compareFormats(t *testing.T, config string, line []string, d usageDocument) {
	t.Helper()
	got := readCSV(t, call(t, append(slices.Clone(line), "--format", "csv")...))
	paid := len(got[0]) - 1
	want := [][]string{got[0]}
	for _, c := range d.Calls {
		cells := make([]string, len(got[0]))
		for i, column := range got[0][:paid] {
			cells[i] = flat(c[column])
			for _, group := range []string{"dimensions", "quantities"} {
				if given, ok := c[group].(map[string]any)[column]; ok {
					cells[i] = flat(given)
				}
			}
		}
		cells[paid] = fmt.Sprint(c["paid_by"])
		want = append(want, cells)
	}
	for _, row := range got[1:] {
		var list any
		if err := json.Unmarshal([]byte(row[paid]), &list); err != nil {
			t.Errorf("paid_by is no JSON: %s", row[paid])
		}
		row[paid] = fmt.Sprint(list)
	}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%s as CSV:\n%v\nas JSON\n%v", strings.Join(line, " "), got, want)
	}

	file := filepath.Join(t.TempDir(), "usage.parquet")
	call(t, append(slices.Clone(line), "--to", file)...)
	columns := []string{
		"time TIMESTAMP", "posted_at TIMESTAMP", "late BOOLEAN", "operation VARCHAR", "project VARCHAR", "key VARCHAR", "event_id VARCHAR", "source VARCHAR",
	}
	for _, c := range recordedColumns(t, config) {
		columns = append(columns, c.Name+" "+c.Type)
	}
	columns = append(columns, "price_table VARCHAR", "price_version INTEGER", "rule INTEGER", "credits DECIMAL(18,6)", "held VARCHAR", "paid_by VARCHAR")
	if schema, rows := parquetSchema(t, file); !slices.Equal(schema, columns) || rows != int64(len(d.Calls)) {
		t.Errorf("%s as Parquet has %d rows of\n  %v\nwant %d of\n  %v", strings.Join(line, " "), rows, schema, len(d.Calls), columns)
	}
}

// recordedColumns are the dimensions and quantities that a lake knows.
func recordedColumns(t *testing.T, config string) []lake.Column {
	t.Helper()
	a := &app{name: "creditmill", stdout: io.Discard, stderr: io.Discard, clock: time.Now, config: config}
	m, done, err := a.open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	return m.Lake.State().Columns
}

// compareTableExports compares every table in every format with what `query` prints of it.
func compareTableExports(t *testing.T, config string) {
	t.Helper()
	for _, table := range lake.Tables() {
		columns := compareExport(t, config, table.Name)
		schema := table.Schema(recordedColumns(t, config))
		if !slices.Equal(columns[:len(schema)], schema) || len(columns)-len(schema) > 1 {
			t.Errorf("export %s has the columns %v", table.Name, columns)
		}
	}
	for _, view := range jobs.Dictionary(nil) {
		if view.Kind != jobs.KindTable {
			compareExport(t, config, view.Name)
		}
	}
}

// compareExport compares an export in each format with what query says, and returns its
// columns.
func compareExport(t *testing.T, config, name string) []lake.Column {
	t.Helper()
	want := readCSV(t, call(t, "query", "--config", config, "--format", "csv", "SELECT * FROM "+name))
	got := readCSV(t, call(t, "export", name, "--config", config, "--format", "csv"))
	for _, row := range got {
		for i, cell := range row {
			row[i] = strings.TrimPrefix(cell, "'")
		}
	}
	compareTable(t, "export of "+name+" as CSV", got, want)
	var document struct {
		Columns []lake.Column
		Rows    []map[string]any
	}
	decoder := json.NewDecoder(strings.NewReader(call(t, "export", name, "--config", config)))
	decoder.UseNumber()
	if err := decoder.Decode(&document); err != nil {
		t.Fatal(err)
	}
	compareTable(t, "export of "+name+" as JSON", pick(document.Rows, want[0]), want)
	var columns []string
	for _, c := range document.Columns {
		columns = append(columns, c.Name+" "+c.Type)
	}
	file := filepath.Join(t.TempDir(), name+".parquet")
	call(t, "export", name, "--config", config, "--to", file)
	if got, rows := parquetSchema(t, file); !slices.Equal(got, columns) || rows != int64(len(want)-1) {
		t.Errorf("export %s as Parquet has %d rows of\n  %v\nwant %d of\n  %v", name, rows, got, len(want)-1, columns)
	}
	return document.Columns
}
