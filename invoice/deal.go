package invoice

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"golang.org/x/sync/errgroup"

	"github.com/creditmill/creditmill/internal/spool"
)

// A callColumn is a column of rated that burning asks for. Those of texts that recur
// are read as numbers, but for accounts, which come in runs.
type callColumn struct {
	name  string
	other string // to be read where a file lacks it; empty: none
	named bool
}

// columnsOf are the columns that burning asks for: a dry run for no operation, project
// and key; several drafts each for its own credits, and why it holds a call.
func columnsOf(dry bool, drafts []DraftColumns) []callColumn {
	columns := []callColumn{
		{name: "account"}, {name: "source", named: true}, {name: "event_id"}, {name: "time"}, {name: "posted_at"}, {name: "late"},
	}
	if !dry {
		columns = append(columns, callColumn{name: "operation", named: true}, callColumn{name: "project", named: true}, callColumn{name: "key", named: true})
	}
	if drafts == nil {
		drafts = onePrice
	}
	for _, d := range drafts {
		columns = append(columns, callColumn{name: d.Credits, other: "credits"}, callColumn{name: d.Held, other: "held", named: true})
	}
	return columns
}

// onePrice is where calls have their credits that no draft prices.
var onePrice = []DraftColumns{{"credits", "held"}}

// mostDealers is how many goroutines read at once: each holds a row group's pages and
// what its spool writer holds back.
const mostDealers = 4

// dealtRows is how many rows are decoded at a time: few enough that they stay in the
// processor's cache, which a whole row group would not.
const dealtRows = 1 << 14

// A rowGroup is one row group of a file.
type rowGroup struct {
	path  string
	group int
}

// A dealer reads row groups of rated and deals their calls out to parts.
type dealer struct {
	calls  *Dealt
	shared *dealing
	out    *spool.Writer

	path   string // of the file that is open
	file   *os.File
	groups *pqarrow.FileReader
	fields []int             // places of the columns in the file
	names  map[string]string // that the columns have in the file

	numbers [callText][]uint32 // of a batch's names, by where a call has them; used again
}

// dealing is what dealers share.
type dealing struct {
	accounts map[string]uint32 // numbers
	parts    []int32           // by account
}

// dealCalls reads the calls of all files into the spool.
func dealCalls(ctx context.Context, c *Dealt, files []string) error {
	d := &dealing{accounts: make(map[string]uint32, len(c.accounts)), parts: make([]int32, len(c.accounts))}
	for number, account := range c.accounts {
		d.accounts[account] = uint32(number)
	}
	for part, accounts := range c.ranges {
		for number := accounts.first; number < accounts.end; number++ {
			d.parts[number] = int32(part)
		}
	}
	work, ctx := errgroup.WithContext(ctx)
	groups := make(chan rowGroup)
	work.Go(func() error {
		defer close(groups)
		return listRowGroups(ctx, files, groups)
	})
	for range min(runtime.GOMAXPROCS(0), mostDealers) {
		work.Go(func() (err error) {
			dealer := dealer{calls: c, shared: d, out: c.spool.Writer()}
			defer func() { err = errors.Join(err, dealer.close()) }()
			for g := range groups {
				if err := dealer.deal(ctx, g); err != nil {
					return fmt.Errorf("%s: %w", g.path, err)
				}
			}
			return dealer.out.Flush()
		})
	}
	return work.Wait()
}

func listRowGroups(ctx context.Context, files []string, groups chan<- rowGroup) error {
	for _, path := range files {
		reader, err := file.OpenParquetFile(path, false)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		n := reader.NumRowGroups()
		if err := reader.Close(); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for group := range n {
			select {
			case groups <- rowGroup{path, group}:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// deal deals the calls of a row group out.
func (d *dealer) deal(ctx context.Context, g rowGroup) error {
	if d.path != g.path {
		if err := d.open(g.path); err != nil {
			return err
		}
	}
	rows, err := d.groups.GetRecordReader(ctx, d.fields, []int{g.group})
	if err != nil {
		return err
	}
	defer rows.Release()
	for rows.Next() {
		if err := d.dealBatch(rows.RecordBatch()); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (d *dealer) open(path string) error {
	if err := d.close(); err != nil {
		return err
	}
	opened, err := os.Open(path)
	if err != nil {
		return err
	}
	d.file, d.path = opened, path
	parquet, err := file.NewParquetReader(opened)
	if err != nil {
		return err
	}
	props := pqarrow.ArrowReadProperties{BatchSize: dealtRows}
	d.fields, d.names = d.fields[:0], map[string]string{}
	for _, column := range d.calls.columns {
		name := column.name
		if column.other != "" && parquet.MetaData().Schema.ColumnIndexByName(name) < 0 {
			name = column.other
		}
		field := parquet.MetaData().Schema.ColumnIndexByName(name)
		if field < 0 {
			return fmt.Errorf("there is no column %s", name)
		}
		if d.names[column.name] = name; !slices.Contains(d.fields, field) {
			d.fields = append(d.fields, field)
		}
		props.SetReadDict(field, column.named)
	}
	d.groups, err = pqarrow.NewFileReader(parquet, props, memory.DefaultAllocator)
	return err
}

func (d *dealer) close() error {
	if d.file == nil {
		return nil
	}
	opened := d.file
	d.file, d.path = nil, ""
	return opened.Close()
}

// dealBatch deals the calls of a batch out, those that are not held.
func (d *dealer) dealBatch(batch arrow.RecordBatch) error {
	column := func(name string) arrow.Array {
		name, asked := d.names[name]
		if !asked {
			return nil
		}
		return batch.Column(batch.Schema().FieldIndices(name)[0])
	}
	accounts, account := as[*array.String](column("account")), uint32(noName)
	sources := d.named(callSource, column("source"), d.calls.source.add)
	operations := d.named(callOperation, column("operation"), d.calls.operation.add)
	projects := d.named(callProject, column("project"), d.calls.project.add)
	keys := d.named(callKey, column("key"), d.calls.keys.add)
	events, late := as[*array.String](column("event_id")), as[*array.Boolean](column("late"))
	times := as[*array.Timestamp](column("time")).TimestampValues()
	posted := as[*array.Timestamp](column("posted_at")).TimestampValues()
	prices := d.prices(column)
	credits := make([]int64, len(prices))
	for i := range int(batch.NumRows()) {
		if d.calls.drafts == nil && prices[0].held.IsValid(i) {
			continue
		}
		event, name := events.Value(i), accounts.Value(i)
		if account == noName || d.calls.accounts[account] != name {
			account = d.shared.number(name)
		}
		if account == noName {
			return fmt.Errorf("call %q is of an account that rated does not have", event)
		}
		size := callText + len(event)
		bytes, err := d.out.Row(d.shared.parts[account], d.calls.sizeOf(size))
		if err != nil {
			return err
		}
		for draft, price := range prices {
			if credits[draft], err = price.at(i); err != nil {
				return fmt.Errorf("account %q: call %q %w", name, event, err)
			}
			if draft > 0 {
				binary.NativeEndian.PutUint64(bytes[size+8*(draft-1):], uint64(credits[draft]))
			}
		}
		call(bytes).fill(&callRow{
			time: int64(times[i]), postedAt: int64(posted[i]), credits: credits[0],
			account: account, source: sources.at(i), operation: operations.at(i), project: projects.at(i), key: keys.at(i),
			late: late.IsValid(i) && late.Value(i), event: event,
		})
	}
	return nil
}

// A priced is what one draft makes of a batch's calls.
type priced struct {
	credits *array.Decimal128
	held    arrow.Array
}

func (d *dealer) prices(column func(string) arrow.Array) []priced {
	drafts := d.calls.drafts
	if drafts == nil {
		drafts = onePrice
	}
	list := make([]priced, len(drafts))
	for i, columns := range drafts {
		list[i] = priced{as[*array.Decimal128](column(columns.Credits)), column(columns.Held)}
	}
	return list
}

// at are a call's credits, in millionths: heldCredits where it is held.
func (p priced) at(row int) (int64, error) {
	if p.held.IsValid(row) {
		return heldCredits, nil
	}
	amount := p.credits.Value(row)
	if p.credits.IsNull(row) || amount.HighBits() != 0 || amount.LowBits() > math.MaxInt64 {
		return 0, fmt.Errorf("has credits that cannot be: %s", p.credits.ValueStr(row))
	}
	return int64(amount.LowBits()), nil
}

// A numbered is a column of a batch as numbers of names.
type numbered struct {
	rows    []int32  // places in numbers
	numbers []uint32 // of the batch's texts
	column  arrow.Array
}

// at is the number in a row; noName for NULL and where nobody asks.
func (n *numbered) at(row int) uint32 {
	if n.column == nil || n.column.IsNull(row) {
		return noName
	}
	return n.numbers[n.rows[row]]
}

// named are a column's texts as the numbers that number appends for them.
func (d *dealer) named(at int, column arrow.Array, number func(to []uint32, count int, text func(int) string) []uint32) numbered {
	if column == nil {
		return numbered{}
	}
	dictionary := as[*array.Dictionary](column)
	texts := as[*array.String](dictionary.Dictionary())
	d.numbers[at] = number(d.numbers[at][:0], texts.Len(), texts.Value)
	return numbered{as[*array.Int32](dictionary.Indices()).Int32Values(), d.numbers[at], column}
}

// number is that of an account; noName for one that rated has no call of.
func (d *dealing) number(account string) uint32 {
	if number, known := d.accounts[account]; known {
		return number
	}
	return noName
}
