package decode

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

type csvRow struct {
	line, offset int64
	cells        string
	reason       Reason
}

// readCSV reads all records of text with columns a, b and c mapped.
func readCSV(r io.Reader) (rows []csvRow, err error) {
	m := &mapping{tree: newTree()}
	for _, name := range []string{"a", "b", "c"} {
		m.columns = append(m.columns, headerName{m.tree.add([]string{name}), name})
	}
	c := newCSVReader(m)
	var w window
	w.reset(r)
	if err := c.header(&w); err != nil {
		return nil, err
	}
	for {
		var f frame
		if err := c.next(&w, &f); err != nil {
			if errors.Is(err, io.EOF) {
				return rows, nil
			}
			return nil, err
		}
		row := csvRow{f.line, f.offset, "", f.reason}
		if f.reason == "" {
			var cells []string
			for _, n := range m.columns {
				cells = append(cells, string(c.get(n.node).text))
			}
			row.cells = strings.Join(cells, "|")
		}
		rows = append(rows, row)
	}
}

func TestCSV(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []csvRow
	}{
		{"plain", "a,b\n1,2\n3,4", []csvRow{{2, 4, "1|2|", ""}, {3, 8, "3|4|", ""}}},
		{"CR LF, a byte order mark, blank lines", "\xEF\xBB\xBFb,a\r\n\r\n1,2\r\n\n3,4\r\n", []csvRow{{3, 10, "2|1|", ""}, {5, 16, "4|3|", ""}}},
		{"quotes", "a,b\n\"x,\"\"y\"\"\",\"\"\n\"l1\nl2\",z\nq,\n", []csvRow{{2, 4, `x,"y"||`, ""}, {3, 17, "l1\nl2|z|", ""}, {5, 27, "q||", ""}}},
		{"a quote in a bare field", "a,b\nx\"y,1\n2,3\n", []csvRow{{2, 4, "", Malformed}, {3, 10, "2|3|", ""}}},
		{"text behind a closing quote", "a,b\n\"x\"y,1\n2,3\n", []csvRow{{2, 4, "", Malformed}, {3, 11, "2|3|", ""}}},
		{"another number of fields", "a,b\n1\n1,2,3\n4,5\n", []csvRow{{2, 4, "", Malformed}, {3, 6, "", Malformed}, {4, 12, "4|5|", ""}}},
		{"a quote never closed", "a,b\n\"x,1\n2,3\n4,5", []csvRow{{2, 4, "", Malformed}, {3, 9, "2|3|", ""}, {4, 13, "4|5|", ""}}},
		{"not UTF-8", "a,b\n\xff,1\n2,3\n", []csvRow{{2, 4, "", Malformed}, {3, 8, "2|3|", ""}}},
		{"a last quoted field without a line end", "a,b\n1,\"2\"", []csvRow{{2, 4, "1|2|", ""}}},
		{"a last blank line without a line end", "a,b\n1,2\n\r", []csvRow{{2, 4, "1|2|", ""}}},
		{"columns that are not mapped", "x,a,y\n1,2,3\n", []csvRow{{2, 6, "2||", ""}}},
		{"a header alone", "a,b\n", nil},
	} {
		for name, reader := range map[string]io.Reader{"at once": strings.NewReader(c.text), "byte by byte": iotest.OneByteReader(strings.NewReader(c.text))} {
			rows, err := readCSV(reader)
			if err != nil || fmt.Sprintf("%+v", rows) != fmt.Sprintf("%+v", c.want) {
				t.Errorf("%s, %s: %+v, %v; want %+v", c.name, name, rows, err, c.want)
			}
		}
	}
}

func TestCSVHeader(t *testing.T) {
	for _, text := range []string{"a,b,a\n1,2,3\n", "a,\"b\n1,2\n", "a\"b,c\n"} {
		if rows, err := readCSV(strings.NewReader(text)); err == nil {
			t.Errorf("%q: taken, %v", text, rows)
		}
	}
	if _, err := readCSV(strings.NewReader("\n\n")); !errors.Is(err, io.EOF) {
		t.Errorf("no header at all: %v", err)
	}
}

func TestCSVTooLong(t *testing.T) {
	long := strings.Repeat("x", maxRecord)
	rows, err := readCSV(strings.NewReader("a,b\n" + long + ",1\n2,3\n\"" + strings.Repeat("y\n", maxRecord) + "\",1\n4,5\n"))
	if err != nil || len(rows) < 4 || rows[0].reason != TooLong || rows[1].cells != "2|3|" || rows[2].reason != TooLong || rows[len(rows)-1].cells != "4|5|" {
		t.Errorf("%d rows, first %+v, %v", len(rows), rows[:min(3, len(rows))], err)
	}
}

// FuzzCSV holds the reader to encoding/csv where both are defined alike: text
// without a CR and without an unclosed quote.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{"1,2,3\n", "\"a\"\"b\",\"c\nd\",\n", "x\n\n1,2,3\n", "\"a\"b,c,d\n", "a\"b,,\n", ",,\n", "é,\"é\",\xff\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if bytes.IndexByte(body, '\r') >= 0 {
			return
		}
		text := "a,b,c\n" + string(body)
		rows, err := readCSV(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		byByte, err := readCSV(iotest.OneByteReader(strings.NewReader(text)))
		if err != nil || fmt.Sprint(rows) != fmt.Sprint(byByte) {
			t.Fatalf("%q: %+v at once, %+v byte by byte", text, rows, byByte)
		}
		std := csv.NewReader(strings.NewReader(text))
		std.FieldsPerRecord = 3
		all, err := std.ReadAll()
		if err != nil || !utf8.Valid(body) {
			return // we go on where it stops
		}
		all = all[1:]
		if len(all) != len(rows) {
			t.Fatalf("%q: %d records, encoding/csv has %d", text, len(rows), len(all))
		}
		for i, row := range rows {
			if row.reason != "" || row.cells != strings.Join(all[i], "|") {
				t.Fatalf("%q: %+v, encoding/csv has %q", text, row, all[i])
			}
		}
	})
}
