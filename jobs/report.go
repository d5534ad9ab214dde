package jobs

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/duckdb/duckdb-go/v2"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/fixed"
	"github.com/creditmill/creditmill/internal/page"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/sql"
)

// A reporter asks the statements of a page, each run as the page shows it: with the
// parameters filled in.
type reporter struct {
	*Reader
	params map[string]string // by name, without the $
	err    error             // of the first statement that failed
}

// reportStatements are the statements of sql/report whose names begin so, for this lake.
func (m *Mill) reportStatements(prefix string) (texts []string) {
	for _, name := range sql.Names("report") {
		if strings.HasPrefix(name, prefix) {
			_, text := splitComment(sql.Expand("report/"+name, lakeText{m})) // words may be names of tables
			texts = append(texts, text)
		}
	}
	return texts
}

// report opens a session for a page of the statements whose names begin with prefix.
func (m *Mill) report(ctx context.Context, prefix string, params map[string]string, draw func(*reporter) (*page.Page, error)) (_ *page.Page, err error) {
	reader, err := m.Read(ctx, m.reportStatements(prefix)...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	r := &reporter{Reader: reader, params: params}
	p, err := draw(r)
	return p, errors.Join(r.err, err)
}

// ask runs a statement of sql/report ("report/month_days"). After a failure, which draw
// need not look at, it runs nothing more.
func (r *reporter) ask(ctx context.Context, name string) page.Query {
	about, text := splitComment(sql.Expand(name, lakeText{r.mill}))
	q := page.Query{Name: name, About: about, Text: r.fill(text)}
	if r.err == nil {
		if err := r.run(ctx, &q); err != nil {
			r.err = fmt.Errorf("%s: %w", name, err)
		}
	}
	return q
}

// splitComment takes the comment that a statement begins with from the statement: a page
// says it in words, and a command line that begins with two dashes is no statement.
func splitComment(statement string) (comment, text string) {
	var words []string
	for {
		line, rest, _ := strings.Cut(statement, "\n")
		said, ok := strings.CutPrefix(line, "-- ")
		if !ok {
			return strings.Join(words, " "), strings.TrimSpace(statement)
		}
		words, statement = append(words, said), rest
	}
}

var parameter = regexp.MustCompile(`\$[a-z_]+\b`)

// fill puts the values of parameters into a statement, as text that can be read.
func (r *reporter) fill(statement string) string {
	return parameter.ReplaceAllStringFunc(statement, func(name string) string {
		if value, ok := r.params[name[1:]]; ok {
			return duck.VisibleLiteral(value)
		}
		return name
	})
}

func (r *reporter) run(ctx context.Context, q *page.Query) error {
	rows, err := r.session.Rows(ctx, q.Text)
	if err != nil {
		return err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	for _, t := range types {
		q.Columns, q.Types = append(q.Columns, t.Name()), append(q.Types, t.DatabaseTypeName())
	}
	for rows.Next() {
		values, targets := make([]any, len(types)), make([]any, len(types))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		cells := make([]page.Cell, len(types))
		for i, value := range values {
			if cells[i], err = reportCell(value, q.Types[i]); err != nil {
				return fmt.Errorf("column %s: %w", q.Columns[i], err)
			}
		}
		q.Rows = append(q.Rows, cells)
	}
	return rows.Err()
}

// reportCell is a value as `query --format csv` writes it. A binary float has no place
// on a page.
func reportCell(value any, columnType string) (page.Cell, error) {
	switch v := value.(type) {
	case nil:
		return page.Cell{Null: true}, nil
	case string:
		return page.Cell{Text: v}, nil
	case duckdb.Decimal:
		return page.Cell{Text: fixed.Format(decimal128.FromBigInt(v.Value), int(v.Scale), int(v.Scale))}, nil
	case *big.Int, bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64:
		return page.Cell{Text: fmt.Sprint(v)}, nil
	case time.Time:
		if columnType == "DATE" {
			return page.Cell{Text: v.Format(time.DateOnly)}, nil
		}
		return page.Cell{Text: period.FormatInstant(v)}, nil
	default:
		return page.Cell{}, fmt.Errorf("a %T has no place on a page", value)
	}
}

// days are the days of a month.
func days(p period.Period) (list []string) {
	for day, _ := time.Parse("2006-01", p.String()); day.Format("2006-01") == p.String(); day = day.AddDate(0, 0, 1) {
		list = append(list, day.Format(time.DateOnly))
	}
	return list
}
