package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/creditmill/creditmill/internal/duck"
)

// A layout is how and where `query` prints what is asked.
type layout struct {
	out      io.Writer
	notes    io.Writer // for what is said about an answer beside it
	format   string
	limit    int    // rows of a table
	more     string // how more rows than that are had
	terminal bool   // out is one: control characters are escaped
	width    int    // of the terminal in characters, 0 for none
}

// tableRows is how many rows a table shows unless a limit is given.
const tableRows = 1000

func (a *app) layout(f queryFlags) layout {
	l := layout{out: a.stdout, notes: a.stderr, format: f.format, limit: f.limit, more: "--limit shows more of them, --format csv and json all"}
	if file, ok := a.stdout.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		l.terminal = true
		l.width, _, _ = term.GetSize(int(file.Fd())) // 0 where it is not known
	}
	return l
}

// An outcome is how many rows of an answer were printed.
type outcome struct {
	rows int64
	more bool // there are more
}

// text is what stands under a table.
func (p outcome) text(l layout) string {
	text := "  " + count(p.rows, "row")
	if p.more {
		text += " shown, and there are more: " + l.more
	}
	return text
}

// print runs a query and prints its rows. Memory does not grow with their number: a table
// is cut off, and DuckDB keeps what the others are written from.
func (l layout) print(ctx context.Context, s *duck.Session, query duck.Query, args []any) (done outcome, err error) {
	switch {
	case query.Explains && l.format == formatTable:
		return l.plan(ctx, s, query, args)
	case l.format == formatTable:
		return l.table(ctx, s, query, args)
	case query.Explains || query.Catalog: // small
		found, err := fetch(ctx, s, query.Text, args...)
		if err != nil {
			return outcome{}, err
		}
		return l.write(found.columns, found.each)
	}
	kept, err := s.Keep(ctx, query, args...)
	if err != nil {
		return outcome{}, err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	columns := query.Columns
	if len(columns) != len(kept.Columns) {
		columns = kept.Columns
	}
	return l.write(columns, func(take func(row []any) error) error { return eachKept(ctx, kept, take) })
}

// sliceRows is how many rows of a kept result are in memory at once.
const sliceRows = 16384

func eachKept(ctx context.Context, kept *duck.Kept, take func(row []any) error) error {
	for from := int64(0); from < kept.Rows; from += sliceRows {
		rows, err := kept.Slice(ctx, from, sliceRows)
		if err != nil {
			return err
		}
		if _, _, err := eachOf(rows, take); err != nil {
			return err
		}
	}
	return nil
}

func (r result) each(take func(row []any) error) error {
	for _, row := range r.rows {
		if err := take(row); err != nil {
			return err
		}
	}
	return nil
}

// write writes rows as CSV or JSON.
func (l layout) write(columns []string, each func(take func(row []any) error) error) (done outcome, err error) {
	out := bufio.NewWriterSize(l.out, 1<<16)
	head, appendRow, foot := l.csv(columns)
	if l.format == formatJSON {
		if head, appendRow, foot, err = rowsJSON(columns); err != nil {
			return done, err
		}
	}
	if _, err := out.WriteString(head); err != nil {
		return done, err
	}
	var line []byte
	err = each(func(row []any) error {
		line = appendRow(line[:0], row, done.rows)
		done.rows++
		_, err := out.Write(line)
		return err
	})
	if err == nil {
		_, err = out.WriteString(foot(done.rows))
	}
	if err != nil {
		return done, err // a row that cannot be written comes early: nothing is printed
	}
	return done, out.Flush()
}
