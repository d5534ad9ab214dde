package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/jobs"
)

// readPublished reads the published copy with arrow-go, which shares nothing with the
// program's own reader: each file has the table's columns with the types that docs/tables.md
// says, and rows and exact sums, partition by partition, are those of `query`.
func readPublished(t *testing.T, config string) {
	t.Helper()
	var published struct{ Place string }
	if err := json.Unmarshal([]byte(call(t, "publish", "--config", config, "--json")), &published); err != nil {
		t.Fatal(err)
	}
	place := published.Place
	a := &app{name: "creditmill", stdout: os.Stdout, stderr: os.Stderr, clock: time.Now, config: config}
	err := a.read(context.Background(), func(m *jobs.Mill, r *jobs.Reader) error {
		c := dictionaryCheck{t: t, session: r.Session()}
		for _, d := range jobs.Dictionary(m.Lake.State().Columns) {
			if d.Kind != jobs.KindTable || slices.Contains([]string{lake.Voided.Name, lake.KeptParties.Name}, d.Name) {
				if _, err := os.Stat(filepath.Join(place, d.Name)); err == nil {
					t.Errorf("%s is published", d.Name)
				}
				continue
			}
			got, want := publishedSums(t, place, d), c.sums(d)
			if !slices.Equal(got, want) {
				t.Errorf("%s: arrow-go reads of the published copy\n%s\nquery says\n%s", d.Name, strings.Join(got, "\n"), strings.Join(want, "\n"))
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
}

// summed are the columns that are added up.
func summed(d jobs.Described) (columns []lake.ColumnEntry) {
	for _, c := range d.Columns {
		if strings.HasPrefix(c.Type, "DECIMAL") || c.Type == lake.IntegerQuantityType {
			columns = append(columns, c)
		}
	}
	return columns
}

// sums are, for each partition, its name, the number of rows and the sums of all numbers.
func (c dictionaryCheck) sums(d jobs.Described) (lines []string) {
	c.t.Helper()
	partition := "''"
	if d.Partition != "" {
		partition = duck.Identifier(d.Partition)
	}
	values := []string{partition, "count(*)"}
	for _, column := range summed(d) {
		values = append(values, "coalesce(CAST(sum("+duck.Identifier(column.Name)+") AS VARCHAR), '')")
	}
	for _, row := range c.fetch("SELECT " + strings.Join(values, ", ") + " FROM " + duck.Identifier(d.Name) + " GROUP BY 1 HAVING count(*) > 0 ORDER BY 1").rows {
		cells := make([]string, len(row))
		for i, value := range row {
			cells[i] = plain(value)
		}
		lines = append(lines, strings.Join(cells, " "))
	}
	return lines
}

// publishedSums is sums by arrow-go, of all files that a glob of the table's folder finds.
func publishedSums(t *testing.T, place string, d jobs.Described) (lines []string) {
	t.Helper()
	var files []string
	err := fs.WalkDir(os.DirFS(place), d.Name, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, name)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a table without rows has no folder
		t.Fatal(err)
	}
	rows, sums, scales := map[string]int64{}, map[string][]*big.Int{}, make([]int, len(summed(d)))
	for _, name := range files {
		partition := ""
		if folder := path.Base(path.Dir(name)); d.Partition != "" {
			key, value, _ := strings.Cut(folder, "=")
			if partition = value; key != d.Partition {
				t.Fatalf("%s does not lie under %s=", name, d.Partition)
			}
		}
		local := filepath.Join(place, filepath.FromSlash(name))
		checkFileTypes(t, local, d)
		read := readParquet(t, local)
		rows[partition] += read.NumRows()
		if sums[partition] == nil {
			sums[partition] = make([]*big.Int, len(scales))
		}
		for i, column := range summed(d) {
			scales[i] = addColumn(t, read, column.Name, &sums[partition][i])
		}
		read.Release()
	}
	for partition, n := range rows {
		cells := []string{partition, fmt.Sprint(n)}
		for i, sum := range sums[partition] {
			if sum == nil {
				cells = append(cells, "")
			} else {
				cells = append(cells, decimalText(sum, scales[i]))
			}
		}
		lines = append(lines, strings.Join(cells, " "))
	}
	slices.Sort(lines)
	return lines
}

// addColumn adds a column's values, NULL left out, to a sum that is nil before the first.
func addColumn(t *testing.T, read arrow.Table, name string, sum **big.Int) (scale int) {
	t.Helper()
	at := read.Schema().FieldIndices(name)
	if len(at) != 1 {
		t.Fatalf("no column %s", name)
	}
	add := func(n *big.Int) {
		if *sum == nil {
			*sum = new(big.Int)
		}
		(*sum).Add(*sum, n)
	}
	for _, chunk := range read.Column(at[0]).Data().Chunks() {
		for i := range chunk.Len() {
			if chunk.IsNull(i) {
				continue
			}
			switch values := chunk.(type) {
			case *array.Int64:
				add(big.NewInt(values.Value(i)))
			case *array.Decimal128:
				add(values.Value(i).BigInt())
			default:
				t.Fatalf("column %s is %s", name, chunk.DataType())
			}
		}
	}
	if decimal, ok := read.Schema().Field(at[0]).Type.(arrow.DecimalType); ok {
		return int(decimal.GetScale())
	}
	return 0
}

// checkFileTypes compares the columns of a published file, by their place, with the
// table's: names, and the types in Parquet and in Arrow that lake.Types says.
func checkFileTypes(t *testing.T, local string, d jobs.Described) {
	t.Helper()
	in, err := file.OpenParquetFile(local, false)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	read := readParquet(t, local)
	defer read.Release()
	var got, want []string
	for i := range in.MetaData().Schema.NumColumns() {
		got = append(got, in.MetaData().Schema.Column(i).Name()+" "+parquetType(in.MetaData().Schema.Column(i))+" "+read.Schema().Field(i).Type.String())
	}
	for _, c := range d.Columns {
		if c.Name == d.Partition {
			continue
		}
		at := slices.IndexFunc(lake.Types, func(known lake.TypeEntry) bool { return known.Type == c.Type })
		if at < 0 {
			t.Fatalf("%s.%s: lake.Types lacks %s", d.Name, c.Name, c.Type)
		}
		want = append(want, c.Name+" "+lake.Types[at].Parquet+" "+lake.Types[at].Arrow)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s has the columns\n  %s\nwant\n  %s", local, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// parquetType is a column's type as lake.Types writes it.
func parquetType(c *schema.Column) string {
	physical := c.PhysicalType().String()
	if c.PhysicalType() == parquet.Types.FixedLenByteArray {
		physical += fmt.Sprintf("(%d)", c.TypeLength())
	}
	switch logical := c.LogicalType().(type) {
	case schema.StringLogicalType:
		return physical + ", String"
	case schema.IntLogicalType:
		signed := map[bool]string{true: "signed", false: "unsigned"}[logical.IsSigned()]
		return physical + fmt.Sprintf(", Int(%d, %s)", logical.BitWidth(), signed)
	case schema.TimestampLogicalType:
		unit := map[schema.TimeUnitType]string{schema.TimeUnitMicros: "microseconds", schema.TimeUnitMillis: "milliseconds", schema.TimeUnitNanos: "nanoseconds"}[logical.TimeUnit()]
		adjusted := map[bool]string{true: "adjusted to UTC", false: "not adjusted to UTC"}[logical.IsAdjustedToUTC()]
		return physical + ", Timestamp(" + unit + ", " + adjusted + ")"
	case schema.DecimalLogicalType:
		return physical + fmt.Sprintf(", Decimal(%d, %d)", logical.Precision(), logical.Scale())
	case schema.NoLogicalType:
		return physical
	default:
		return physical + ", " + logical.String()
	}
}
