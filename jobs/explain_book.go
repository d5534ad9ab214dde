package jobs

import (
	"cmp"
	"context"
	stdsql "database/sql"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/bucket"
	"github.com/creditmill/creditmill/sql"
)

// A book is all that was ever sold to one account: what its documents say, the buckets
// it had, and its events. Of an account it is little, however many calls it makes.
type book struct {
	mill    *Mill
	account string
	docs    []docRow
	lines   []lineRow
	buckets []bucketRow
	events  []eventRow // in the order they are applied
}

// A docRow is an invoice or note.
type docRow struct {
	number, kind, account, currency string
	subtotal, tax, total            string
	issuedAt                        time.Time
	corrects, correctsPeriod        string // of a note, "" else
	period                          string // it was issued in
	run                             int64
}

// A lineRow is one line of a document.
type lineRow struct {
	doc                         *docRow
	number                      string
	line                        int
	kind, item, description     string
	quantity, unitPrice, amount string
	taxRate                     stdsql.NullString
	currency                    string
	from, to                    time.Time
	cause                       string
}

// A bucketRow is a bucket over its life.
type bucketRow struct {
	id, kind       string
	starts         time.Time
	expires        stdsql.NullTime
	granted, price string
	currency       string
}

// An eventRow is an account event.
type eventRow struct {
	id, kind     string
	at, postedAt time.Time
	held         stdsql.NullString
	payload      string
}

func (d *desk) openBook(ctx context.Context, account string) (*book, error) {
	b := &book{mill: d.mill, account: account}
	for name, table := range map[string]lake.Table{"explain_invoices": lake.Invoices, "explain_invoice_lines": lake.InvoiceLines} {
		if err := d.viewPlaced(ctx, name, table); err != nil {
			return nil, err
		}
	}
	if err := d.viewBy(ctx, "explain_balances", lake.Balances, d.mill.Lake.State().Files(lake.Balances), "period", partitionOf); err != nil {
		return nil, err
	}
	if err := d.view(ctx, "explain_account_events", lake.AccountEvents, d.mill.Lake.State().Files(lake.AccountEvents)); err != nil {
		return nil, err
	}
	var err error
	if b.docs, err = d.explainDocuments(ctx, account, ""); err != nil {
		return nil, err
	}
	for _, read := range []struct {
		what, statement string
		scan            func(*stdsql.Rows) error
	}{
		{"invoice lines", "duckdb/explain_lines", b.scanLine},
		{"buckets", "duckdb/explain_buckets", func(rows *stdsql.Rows) error {
			var r bucketRow
			err := rows.Scan(&r.id, &r.kind, &r.starts, &r.expires, &r.granted, &r.price, &r.currency)
			b.buckets = append(b.buckets, r)
			return err
		}},
		{"account events", "duckdb/explain_events", func(rows *stdsql.Rows) error {
			var r eventRow
			err := rows.Scan(&r.id, &r.kind, &r.at, &r.postedAt, &r.held, &r.payload)
			b.events = append(b.events, r)
			return err
		}},
	} {
		if err := d.eachRow(ctx, read.scan, sql.Text(read.statement), account); err != nil {
			return nil, fmt.Errorf("%s of account %s: %w", read.what, account, err)
		}
	}
	return b, nil
}

// eachRow hands over the rows of a query.
func (d *desk) eachRow(ctx context.Context, scan func(*stdsql.Rows) error, query string, args ...any) error {
	rows, err := d.session.Rows(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (b *book) scanLine(rows *stdsql.Rows) error {
	var r lineRow
	var item, description, cause stdsql.NullString
	err := rows.Scan(&r.number, &r.line, &r.kind, &item, &description, &r.quantity, &r.unitPrice, &r.amount, &r.taxRate, &r.currency, &r.from, &r.to, &cause)
	r.item, r.description, r.cause = item.String, description.String, cause.String
	if i := slices.IndexFunc(b.docs, func(d docRow) bool { return d.number == r.number }); i >= 0 {
		r.doc = &b.docs[i]
		b.lines = append(b.lines, r)
	}
	return err
}

// explainDocuments are an account's documents, oldest first, or that of a number.
func (d *desk) explainDocuments(ctx context.Context, account, number string) (docs []docRow, err error) {
	err = d.eachRow(ctx, func(rows *stdsql.Rows) error {
		var r docRow
		var corrects, correctsPeriod stdsql.NullString
		var place string
		err := rows.Scan(&r.number, &r.kind, &r.account, &r.currency, &r.subtotal, &r.tax, &r.total, &r.issuedAt, &corrects, &correctsPeriod, &place)
		r.corrects, r.correctsPeriod = corrects.String, correctsPeriod.String
		r.period, r.run = placed(place)
		docs = append(docs, r)
		return err
	}, sql.Text("duckdb/explain_documents"), account, number)
	if err != nil {
		return nil, fmt.Errorf("invoices: %w", err)
	}
	return docs, nil
}

// of is the period that a document's charges are of: a note's is the one it corrects.
func (d *docRow) of() string {
	if d.correctsPeriod != "" {
		return d.correctsPeriod
	}
	return d.period
}

// find are the lines of a kind that a condition lets through: that of the invoice
// first, then those of notes.
func (b *book) find(kind string, is func(*lineRow) bool) (found []*lineRow) {
	for i := range b.lines {
		if l := &b.lines[i]; l.kind == kind && is(l) {
			found = append(found, l)
		}
	}
	slices.SortStableFunc(found, func(x, y *lineRow) int { return cmp.Compare(x.doc.run, y.doc.run) })
	return found
}

func (b *book) bucket(id string) *bucketRow {
	if i := slices.IndexFunc(b.buckets, func(r bucketRow) bool { return r.id == id }); i >= 0 {
		return &b.buckets[i]
	}
	return nil
}

// event is the account's event of an id; nil if there is none.
func (b *book) event(id string) *eventRow {
	if i := slices.IndexFunc(b.events, func(e eventRow) bool { return e.id == id }); i >= 0 {
		return &b.events[i]
	}
	return nil
}

// lastEvent is the last event posted up to an instant, that instant included, that is
// not held and for which is holds; nil if there is none.
func (b *book) lastEvent(until time.Time, is func(*eventRow) bool) *eventRow {
	for i := range slices.Backward(b.events) {
		if e := &b.events[i]; !e.postedAt.After(until) && !e.held.Valid && is(e) {
			return e
		}
	}
	return nil
}

func isSubscription(e *eventRow) bool {
	return e.kind == "subscription.started" || e.kind == "subscription.changed"
}

// field is a text of the event's payload, "" where it has none of that name.
func (e *eventRow) field(name string) string {
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(e.payload), &fields) != nil {
		return ""
	}
	var text string
	if json.Unmarshal(fields[name], &text) == nil {
		return text
	}
	return string(fields[name])
}

// lastPart is what a bucket's id ends with: of a pack, promotion or opened balance
// its event.
func lastPart(bucketID string) string {
	text, err := url.PathUnescape(bucketID[strings.LastIndexByte(bucketID, '/')+1:])
	if err != nil {
		return ""
	}
	return text
}

// boughtBy are the lines that a bucket was bought by, or why there is none.
func (b *book) boughtBy(r *bucketRow) (lines []*lineRow, why string) {
	switch bucket.Kind(r.kind) {
	case bucket.Allowance:
		lines = b.find(lineFee, func(l *lineRow) bool { return l.from.Equal(r.starts) })
	case bucket.Rollover:
		lines = b.find(lineFee, func(l *lineRow) bool { return l.to.Equal(r.starts) })
	case bucket.Pack:
		lines = b.purchase(linePack, r, func(l *lineRow) bool {
			e := b.event(lastPart(r.id))
			return e != nil && l.item == e.field("pack")
		})
	case bucket.TopUp:
		lines = b.purchase(lineTopUp, r, func(*lineRow) bool { return true })
	case bucket.Promotion:
		if e := b.event(lastPart(r.id)); e != nil && e.field("reason") != "" {
			return nil, "a promotion: " + e.field("reason")
		}
		return nil, "a promotion"
	case bucket.Opened:
		return nil, "a balance brought over from another system"
	}
	if len(lines) > 0 {
		return lines, ""
	}
	return nil, b.unbilled(r)
}

// purchase are the lines of packs or top-ups that were bought when a bucket starts; of
// several the one that is in the same place as the bucket.
func (b *book) purchase(kind string, r *bucketRow, is func(*lineRow) bool) []*lineRow {
	all := b.find(kind, func(l *lineRow) bool { return l.from.Equal(r.starts) && is(l) })
	var invoiced, noted []*lineRow
	for _, l := range all {
		if l.doc.correctsPeriod == "" {
			invoiced = append(invoiced, l)
		} else {
			noted = append(noted, l)
		}
	}
	if len(invoiced) < 2 {
		return all
	}
	place := 0
	for i := range b.buckets {
		o := &b.buckets[i]
		if o.kind == r.kind && o.starts.Equal(r.starts) && before(o.id, r.id) && (kind != linePack || samePack(b, o, r)) && !isZero(o.price) {
			place++
		}
	}
	if place >= len(invoiced) {
		return all
	}
	return append([]*lineRow{invoiced[place]}, noted...)
}

// before orders the ids of buckets bought at one instant as their lines are: by event,
// or by number.
func before(a, b string) bool {
	x, y := lastPart(a), lastPart(b)
	m, okM := new(big.Int).SetString(x, 10)
	n, okN := new(big.Int).SetString(y, 10)
	if okM && okN && strings.Contains(a, "/topup/") {
		return m.Cmp(n) < 0
	}
	return x < y
}

func samePack(b *book, x, y *bucketRow) bool {
	e, f := b.event(lastPart(x.id)), b.event(lastPart(y.id))
	return e != nil && f != nil && e.field("pack") == f.field("pack")
}

// unbilled says why no line is for a bucket.
func (b *book) unbilled(r *bucketRow) string {
	if isZero(r.price) {
		return "it cost nothing: no line"
	}
	p := b.mill.Calendar.Of(r.starts)
	switch _, closed := b.mill.Lake.State().Closed(p); {
	case p.Before(b.mill.Config.FirstPeriod):
		return "it was bought before the lake's first month"
	case !closed:
		return fmt.Sprintf("%s is not closed yet: its invoice is not issued", p)
	default:
		return fmt.Sprintf("no line of the documents of %s is for it", p)
	}
}

func isZero(decimal string) bool { return rational(decimal).Sign() == 0 }

// rational reads an exact decimal of the lake.
func rational(decimal string) *big.Rat {
	r, ok := new(big.Rat).SetString(decimal)
	if !ok {
		return new(big.Rat)
	}
	return r
}

// inMinorUnits writes an amount as people do, with the currency's own digits.
func inMinorUnits(amount, code string) string {
	currency, err := money.ParseCurrency(code)
	if err != nil {
		return plainDecimal(amount)
	}
	parsed, err := money.ParseAmount(amount)
	if err != nil {
		return plainDecimal(amount)
	}
	return currency.Format(parsed)
}

// A LineRef names a line of a document.
type LineRef struct {
	Number      string  `json:"number"`
	Line        int     `json:"line"`
	Document    string  `json:"document"` // invoice, credit_note or debit_note
	Kind        string  `json:"kind"`
	Item        *string `json:"item"`
	Description *string `json:"description"`
	Amount      string  `json:"amount"`
	Currency    string  `json:"currency"`
}

func (l *lineRow) ref() LineRef {
	return LineRef{
		l.number, l.line, l.doc.kind, l.kind, optionalText(l.item), optionalText(l.description), inMinorUnits(l.amount, l.currency), l.currency,
	}
}

func refs(lines []*lineRow) []LineRef {
	list := make([]LineRef, 0, len(lines))
	for _, l := range lines {
		list = append(list, l.ref())
	}
	return list
}

// An EventRef is an account event.
type EventRef struct {
	ID       string          `json:"id"`
	Type     string          `json:"type"`
	At       string          `json:"at"`
	PostedAt string          `json:"posted_at"`
	Payload  json.RawMessage `json:"payload"`
}

func (e *eventRow) ref() *EventRef {
	if e == nil {
		return nil
	}
	payload := json.RawMessage(e.payload)
	if !json.Valid(payload) {
		payload = json.RawMessage("null")
	}
	return &EventRef{e.id, e.kind, period.FormatInstant(e.at), period.FormatInstant(e.postedAt), payload}
}
