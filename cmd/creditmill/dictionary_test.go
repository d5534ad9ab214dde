package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/jobs"
	"github.com/creditmill/creditmill/sql"
)

// checkDictionary compares what the dictionary says with a lake: names and types of all
// columns, keys, what is never NULL, lists of values, joins, and the order of rows in
// files. It returns the columns, as TABLE.COLUMN, that are NULL somewhere.
func checkDictionary(t *testing.T, config string) (null map[string]bool) {
	t.Helper()
	ctx := context.Background()
	a := &app{name: "creditmill", stdout: os.Stdout, stderr: os.Stderr, clock: time.Now, config: config}
	null = map[string]bool{}
	err := a.read(ctx, func(m *jobs.Mill, r *jobs.Reader) error {
		c := dictionaryCheck{t: t, session: r.Session(), null: null}
		all := jobs.Dictionary(m.Lake.State().Columns)
		c.checkNames(all)
		for _, d := range all {
			c.checkTable(d)
		}
		for _, j := range jobs.Joins() {
			c.checkJoin(j)
		}
		for _, table := range lake.Tables() {
			for _, live := range m.Lake.State().Files(table) {
				path, err := m.Lake.Path(ctx, live)
				if err != nil {
					return err
				}
				checkOrder(t, table.Name, path, live.Path)
			}
		}
		return nil
	})
	for i, mill := range a.mills {
		if err := mill.Release(); err != nil {
			t.Errorf("mill %d: %v", i, err)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return null
}

type dictionaryCheck struct {
	t       *testing.T
	session *duck.Session
	null    map[string]bool
}

func (c dictionaryCheck) fetch(statement string) result {
	c.t.Helper()
	found, err := fetch(c.t.Context(), c.session, statement)
	if err != nil {
		c.t.Fatalf("%s: %v", statement, err)
	}
	return found
}

// number is the one number of a query.
func (c dictionaryCheck) number(statement string) string {
	c.t.Helper()
	return plain(c.fetch(statement).rows[0][0])
}

// checkNames compares the names with those that the session has.
func (c dictionaryCheck) checkNames(all []jobs.Described) {
	c.t.Helper()
	var described, there []string
	for _, d := range all {
		described = append(described, d.Name)
	}
	for _, row := range c.fetch("SELECT table_name FROM information_schema.tables").rows {
		there = append(there, plain(row[0]))
	}
	slices.Sort(described)
	slices.Sort(there)
	if !slices.Equal(described, there) {
		c.t.Errorf("the dictionary has %v\nquery has %v", described, there)
	}
}

func (c dictionaryCheck) checkTable(d jobs.Described) {
	t := c.t
	t.Helper()
	var got, want []string
	for _, row := range c.fetch("SELECT column_name, column_type FROM (DESCRIBE " + duck.Identifier(d.Name) + ")").rows {
		got = append(got, plain(row[0])+" "+plain(row[1]))
	}
	var tests []string
	for _, column := range d.Columns {
		want = append(want, column.Name+" "+column.Type)
		name := duck.Identifier(column.Name)
		tests = append(tests, "count(*) FILTER ("+name+" IS NULL)")
		if len(column.Values) > 0 {
			others := c.fetch("SELECT DISTINCT " + name + " FROM " + duck.Identifier(d.Name) + " WHERE " + name + " NOT IN (" + literals(column.Values) + ")")
			for _, row := range others.rows {
				t.Errorf("%s.%s has the value %s, which the dictionary does not list", d.Name, column.Name, plain(row[0]))
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("columns of %s:\nquery          %s\nthe dictionary %s", d.Name, strings.Join(got, ", "), strings.Join(want, ", "))
		return
	}
	for i, value := range c.fetch("SELECT " + strings.Join(tests, ", ") + " FROM " + duck.Identifier(d.Name)).rows[0] {
		column := d.Columns[i]
		if plain(value) == "0" {
			continue
		}
		c.null[d.Name+"."+column.Name] = true
		if column.Null == "" {
			t.Errorf("%s.%s is NULL in %s rows; the dictionary says never", d.Name, column.Name, plain(value))
		}
	}
	key := make([]string, len(d.Key))
	for i, name := range d.Key {
		key[i] = duck.Identifier(name)
	}
	if len(key) == 0 {
		if n := c.number("SELECT count(*) FROM " + duck.Identifier(d.Name)); n != "1" {
			t.Errorf("%s has no key and %s rows", d.Name, n)
		}
		return
	}
	for _, row := range c.fetch("SELECT " + strings.Join(key, ", ") + ", count(*) FROM " + duck.Identifier(d.Name) + " GROUP BY " + strings.Join(key, ", ") + " HAVING count(*) > 1 LIMIT 3").rows {
		t.Errorf("%s: the key %v is of several rows: %v", d.Name, d.Key, row)
	}
}

// Every example is a value of its column's type, as `query --format csv` prints it.
func TestExamplesOfTheDictionaryAreOfTheirTypes(t *testing.T) {
	t.Parallel()
	session, err := duck.Open(t.Context(), duck.Options{Scratch: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	c := dictionaryCheck{t: t, session: session}
	for _, d := range jobs.Dictionary([]lake.Column{{Name: "d", Type: lake.DimensionType}, {Name: "n", Type: lake.IntegerQuantityType}, {Name: "q", Type: lake.DecimalQuantityType}}) {
		var examples []string
		for _, column := range d.Columns {
			examples = append(examples, "CAST("+duck.Literal(column.Example)+" AS "+column.Type+")")
		}
		for i, value := range c.fetch("SELECT " + strings.Join(examples, ", ")).rows[0] {
			if column := d.Columns[i]; plain(value) != column.Example {
				t.Errorf("%s.%s: the example %s is printed as %s", d.Name, column.Name, column.Example, plain(value))
			}
		}
	}
}

func literals(values []string) string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = duck.Literal(v)
	}
	return strings.Join(all, ", ")
}

// checkJoin looks whether a join loses or doubles rows.
func (c dictionaryCheck) checkJoin(j jobs.Join) {
	c.t.Helper()
	only := j.Only
	if only == "" {
		only = "true"
	}
	want := c.number("SELECT count(*) FROM " + j.From + " WHERE " + only)
	if got := c.number("SELECT count(*) FROM (" + j.Statement() + ")"); got != want {
		c.t.Errorf("%s to %s: %s rows of %s should find one each, the join has %s", j.From, j.To, want, j.From, got)
	}
}

// Every join of sql/joins is one of the dictionary's.
func TestEveryJoinIsInTheDictionary(t *testing.T) {
	var described []string
	for _, j := range jobs.Joins() {
		described = append(described, j.Query)
	}
	slices.Sort(described)
	if there := sql.Names("joins"); !slices.Equal(described, there) {
		t.Errorf("the dictionary has the joins %v, sql/joins %v", described, there)
	}
}

// checkOrder looks whether a file's rows stand in the order that the dictionary says.
func checkOrder(t *testing.T, table, path, name string) {
	t.Helper()
	described, _ := jobs.Describe(table, nil)
	read := readParquet(t, path)
	defer read.Release()
	var columns []func(i, j int) int
	for _, column := range described.Order {
		columns = append(columns, comparer(t, read, column))
	}
	for i := 1; i < int(read.NumRows()); i++ {
		for _, compare := range columns {
			order := compare(i-1, i)
			if order > 0 {
				t.Errorf("%s: rows %d and %d are not in the order %v", name, i, i+1, described.Order)
				return
			}
			if order < 0 {
				break
			}
		}
	}
}

// comparer compares two rows of a table by a column, NULL first.
func comparer(t *testing.T, read arrow.Table, name string) func(i, j int) int {
	t.Helper()
	at := read.Schema().FieldIndices(name)
	if len(at) != 1 {
		t.Fatalf("no column %s", name)
	}
	column, err := array.Concatenate(read.Column(at[0]).Data().Chunks(), memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	compare := func(i, j int) int { panic(fmt.Sprintf("column %s of %s", name, column.DataType())) }
	switch column := column.(type) {
	case *array.String:
		compare = func(i, j int) int { return cmp.Compare(column.Value(i), column.Value(j)) }
	case *array.Int64:
		compare = func(i, j int) int { return cmp.Compare(column.Value(i), column.Value(j)) }
	case *array.Timestamp:
		compare = func(i, j int) int { return cmp.Compare(column.Value(i), column.Value(j)) }
	}
	return func(i, j int) int {
		if column.IsNull(i) || column.IsNull(j) {
			return cmp.Compare(bit(column.IsValid(i)), bit(column.IsValid(j)))
		}
		return compare(i, j)
	}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// readParquet reads a whole file with arrow-go.
func readParquet(t *testing.T, path string) arrow.Table {
	t.Helper()
	in, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer in.Close()
	reader, err := pqarrow.NewFileReader(in, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	read, err := reader.ReadTable(context.Background())
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return read
}
