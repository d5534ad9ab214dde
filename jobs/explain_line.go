package jobs

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/fixed"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/sql"
)

// The kinds of lines (SPEC section 14, 28).
const (
	lineFee     = "fee"
	linePack    = "pack"
	lineTopUp   = "topup"
	lineCharge  = "charge"
	lineOverage = "overage"
	lineTax     = "tax"
)

// A LineExplanation is why a line of an invoice or note is what it is: what `explain
// NUMBER/LINE --json` prints. What does not apply is null.
type LineExplanation struct {
	Kind       string               `json:"kind"` // line
	Document   DocumentRef          `json:"document"`
	Line       ExplainedLine        `json:"line"`
	Arithmetic []string             `json:"arithmetic"`
	Worked     *string              `json:"worked"` // the amount that the arithmetic comes to; null: it cannot be worked out
	Agrees     *bool                `json:"agrees"` // with the line's amount
	Plan       *VersionOf           `json:"plan"`
	Pack       *VersionOf           `json:"pack"`
	Event      *EventRef            `json:"event"` // that started the plan, bought the pack, set the top-up, the tax or the charge
	Bucket     *BucketRef           `json:"bucket"`
	Operations []ExplainedOperation `json:"operations"` // of overage: by operation, the most first
	Calls      []CallRef            `json:"calls"`      // to go on with
	Correction *ExplainedCorrection `json:"correction"` // of a note's line
	Corrected  *ExplainedCorrected  `json:"corrected"`  // of a line that notes correct
	Note       *string              `json:"note"`
}

// A DocumentRef is an invoice or note.
type DocumentRef struct {
	Number         string  `json:"number"`
	Kind           string  `json:"kind"`
	Account        string  `json:"account"`
	Period         string  `json:"period"` // it was issued in
	Currency       string  `json:"currency"`
	Total          string  `json:"total"`
	IssuedAt       string  `json:"issued_at"`
	Run            *RunRef `json:"run"`
	Corrects       *string `json:"corrects"`
	CorrectsPeriod *string `json:"corrects_period"`
}

// An ExplainedLine is a line as it stands in invoice_lines.
type ExplainedLine struct {
	Line        int     `json:"line"`
	Kind        string  `json:"kind"`
	Item        *string `json:"item"`
	Description *string `json:"description"`
	Quantity    string  `json:"quantity"`
	UnitPrice   string  `json:"unit_price"`
	Amount      string  `json:"amount"`
	TaxRate     *string `json:"tax_rate"`
	From        string  `json:"from"`
	To          string  `json:"to"`
	Cause       *string `json:"cause"`
}

// A VersionOf is a version of a plan or pack, and of a plan's overage the step.
type VersionOf struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
	File    string `json:"file"`
	Step    *int   `json:"step"`
}

// An ExplainedOperation is the overage of an operation.
type ExplainedOperation struct {
	Operation string `json:"operation"`
	Calls     int64  `json:"calls"`
	Credits   string `json:"credits"`
}

// A CallRef is a call to look at next.
type CallRef struct {
	EventID   string  `json:"event_id"`
	Source    string  `json:"source"`
	PostedAt  string  `json:"posted_at"`
	Operation *string `json:"operation"`
	Credits   string  `json:"credits"` // of what the line is about
	What      string  `json:"what"`    // why it is named
}

// An ExplainedCorrection is what a note's line sets right.
type ExplainedCorrection struct {
	Before string    `json:"before"` // what the invoice and the notes before it charged
	After  string    `json:"after"`
	Lines  []LineRef `json:"lines"` // of those
	Cause  *string   `json:"cause"`
	Run    *RunRef   `json:"run"`
}

// An ExplainedCorrected is what later notes made of a line.
type ExplainedCorrected struct {
	Lines    []LineRef `json:"lines"`    // of the notes
	Together string    `json:"together"` // what the line and they come to
}

// A DocumentExplanation is all lines of a document in brief: what `explain NUMBER
// --json` prints.
type DocumentExplanation struct {
	Kind     string      `json:"kind"` // document
	Document DocumentRef `json:"document"`
	Lines    []BriefLine `json:"lines"`
}

// A BriefLine is a line with its arithmetic.
type BriefLine struct {
	ExplainedLine
	Arithmetic []string `json:"arithmetic"`
	Agrees     *bool    `json:"agrees"`
	Note       *string  `json:"note"`
}

func (m *Mill) documentRef(r *docRow) DocumentRef {
	return DocumentRef{
		Number: r.number, Kind: r.kind, Account: r.account, Period: r.period, Currency: r.currency, Total: inMinorUnits(r.total, r.currency),
		IssuedAt: period.FormatInstant(r.issuedAt), Run: refOf(m.Lake.State().Milestone(r.run)), Corrects: optionalText(r.corrects), CorrectsPeriod: optionalText(r.correctsPeriod),
	}
}

func (l *lineRow) explained() ExplainedLine {
	line := ExplainedLine{
		Line: l.line, Kind: l.kind, Item: optionalText(l.item), Description: optionalText(l.description), Quantity: plainDecimal(l.quantity),
		UnitPrice: plainDecimal(l.unitPrice), Amount: inMinorUnits(l.amount, l.currency), From: period.FormatInstant(l.from), To: period.FormatInstant(l.to),
		Cause: optionalText(l.cause),
	}
	if l.taxRate.Valid {
		line.TaxRate = optionalText(plainDecimal(l.taxRate.String))
	}
	return line
}

func (b *book) linesOf(number string) (lines []*lineRow) {
	for i := range b.lines {
		if b.lines[i].number == number {
			lines = append(lines, &b.lines[i])
		}
	}
	return lines
}

func (d *desk) explainDocument(ctx context.Context, doc *docRow) (*DocumentExplanation, error) {
	b, err := d.openBook(ctx, doc.account)
	if err != nil {
		return nil, err
	}
	out := &DocumentExplanation{Kind: "document", Document: d.mill.documentRef(doc), Lines: []BriefLine{}}
	for _, l := range b.linesOf(doc.number) {
		e := b.explain(l)
		out.Lines = append(out.Lines, BriefLine{e.Line, e.Arithmetic, e.Agrees, e.Note})
	}
	return out, nil
}

func (d *desk) explainLine(ctx context.Context, doc *docRow, number int) (*LineExplanation, error) {
	b, err := d.openBook(ctx, doc.account)
	if err != nil {
		return nil, err
	}
	lines := b.linesOf(doc.number)
	i := slices.IndexFunc(lines, func(l *lineRow) bool { return l.line == number })
	if i < 0 {
		return nil, ConfigError{fmt.Errorf("%s has no line %d: it has %d", doc.number, number, len(lines))}
	}
	e := b.explain(lines[i])
	return e, d.addCalls(ctx, b, lines[i], e)
}

// explain says of a line what the account's events, plans and packs say of it.
func (b *book) explain(l *lineRow) *LineExplanation {
	e := &LineExplanation{
		Kind: "line", Document: b.mill.documentRef(l.doc), Line: l.explained(),
		Arithmetic: []string{}, Operations: []ExplainedOperation{}, Calls: []CallRef{},
	}
	var exact *big.Rat
	switch l.kind {
	case lineFee:
		exact = b.explainFee(l, e)
	case linePack:
		exact = b.explainPack(l, e)
	case lineTopUp:
		exact = b.explainTopUp(l, e)
	case lineCharge:
		exact = b.explainCharge(l, e)
	case lineOverage:
		exact = b.explainOverage(l, e)
	case lineTax:
		exact = b.explainTax(l, e)
	}
	if l.doc.correctsPeriod != "" {
		b.explainCorrection(l, e)
	} else {
		e.settle(l, exact)
	}
	b.explainCorrected(l, e)
	return e
}

// settle rounds what the arithmetic comes to, once, and compares it with the line.
func (e *LineExplanation) settle(l *lineRow, exact *big.Rat) {
	if exact == nil {
		return
	}
	currency, err := money.ParseCurrency(l.currency)
	if err != nil {
		return
	}
	rounded, err := currency.Round(exact)
	if err != nil {
		return
	}
	text := currency.Format(rounded)
	if n := len(e.Arithmetic); n > 0 {
		if rounded.Rat().Cmp(exact) != 0 {
			e.Arithmetic[n-1] += ", rounded to " + fixed.Group(text)
		}
		e.Arithmetic[n-1] += " " + l.currency
	}
	agrees := rounded.Rat().Cmp(rational(l.amount)) == 0
	e.Worked, e.Agrees = &text, &agrees
}

// explainFee says which plan's fee it is, and which part of it.
func (b *book) explainFee(l *lineRow, e *LineExplanation) *big.Rat {
	e.Event = b.lastEvent(l.from, func(r *eventRow) bool { return isSubscription(r) && r.field("plan") == l.item }).ref()
	for i := range b.buckets {
		if r := &b.buckets[i]; r.kind == "allowance" && r.starts.Equal(l.from) {
			e.Bucket = r.ref()
		}
	}
	p := b.mill.planAt(l.doc.run, l.item, l.from)
	if p == nil {
		e.Note = optionalText("the configuration has no version of the plan that was in force then")
		return nil
	}
	e.Plan = &VersionOf{Name: p.Name, Version: p.Version, File: p.File}
	currency, err := money.ParseCurrency(l.currency)
	if err != nil {
		return nil
	}
	price, ok := p.Fee[currency]
	if !ok {
		return nil
	}
	fee, text := price.Rat(), moneyText(price.Rat(), l.currency)
	month := b.mill.Calendar.Of(l.from)
	start, end := b.mill.Calendar.Start(month), b.mill.Calendar.End(month)
	if !p.Calendar || !p.Prorate || l.from.Equal(start) {
		e.Arithmetic = append(e.Arithmetic, "the fee of a cycle: "+text)
		return fee
	}
	took, of := end.Sub(l.from), end.Sub(start)
	share := big.NewRat(took.Microseconds(), of.Microseconds())
	if granted := share.Mul(share, p.Allowance.Rat()); granted.Sign() > 0 {
		text := fmt.Sprintf("%s credits × %s s ÷ %s s of %s = %s", fixed.Group(p.Allowance.String()), seconds(took), seconds(of), month, fixed.Group(exactText(granted)))
		if rounded, err := credit.Round(granted); err == nil && rounded.Rat().Cmp(granted) != 0 {
			text += ", rounded to " + fixed.Group(rounded.String())
		}
		e.Arithmetic = append(e.Arithmetic, text)
	}
	fee.Mul(fee, big.NewRat(took.Microseconds(), of.Microseconds()))
	e.Arithmetic = append(e.Arithmetic, fmt.Sprintf("%s × %s s ÷ %s s of %s = %s", text, seconds(took), seconds(of), month, moneyText(fee, l.currency)))
	return fee
}

// seconds writes an elapsed time in seconds.
func seconds(d time.Duration) string {
	return fixed.Group(exactText(big.NewRat(d.Microseconds(), 1_000_000)))
}

// explainPack says which event bought the pack.
func (b *book) explainPack(l *lineRow, e *LineExplanation) *big.Rat {
	i := slices.IndexFunc(b.buckets, func(r bucketRow) bool {
		if r.kind != linePack {
			return false
		}
		lines, _ := b.boughtBy(&r)
		return slices.Contains(lines, l)
	})
	at := l.from
	if i >= 0 {
		r := &b.buckets[i]
		e.Bucket = r.ref()
		if event := b.event(lastPart(r.id)); event != nil {
			e.Event, at = event.ref(), event.at
		}
	}
	return b.unitsOf(l, e, at)
}

// explainTopUp says which setting bought the top-up.
func (b *book) explainTopUp(l *lineRow, e *LineExplanation) *big.Rat {
	e.Event = b.lastEvent(l.from, func(r *eventRow) bool { return r.kind == "topup.set" }).ref()
	for i := range b.buckets {
		if r := &b.buckets[i]; r.kind == lineTopUp && r.starts.Equal(l.from) {
			if lines, _ := b.boughtBy(r); slices.Contains(lines, l) {
				e.Bucket = r.ref()
				break
			}
		}
	}
	return b.unitsOf(l, e, l.from)
}

// unitsOf is units of a pack at its price at an instant.
func (b *book) unitsOf(l *lineRow, e *LineExplanation, at time.Time) *big.Rat {
	price := rational(l.unitPrice)
	if p := b.mill.packAt(l.doc.run, l.item, at); p != nil {
		e.Pack = &VersionOf{Name: p.Name, Version: p.Version, File: p.File}
		if currency, err := money.ParseCurrency(l.currency); err == nil {
			if is, ok := p.Price[currency]; ok {
				price = is.Rat()
			}
		}
		granted := new(big.Rat).Mul(rational(l.quantity), p.Credits.Rat())
		e.Arithmetic = append(e.Arithmetic, fmt.Sprintf("%s units × %s credits = %s credits", fixed.Group(plainDecimal(l.quantity)), fixed.Group(p.Credits.String()), fixed.Group(exactText(granted))))
	} else {
		e.Note = optionalText("the configuration has no version of the pack that was in force then")
	}
	amount := new(big.Rat).Mul(rational(l.quantity), price)
	e.Arithmetic = append(e.Arithmetic, fmt.Sprintf("%s units × %s = %s", fixed.Group(plainDecimal(l.quantity)), moneyText(price, l.currency), moneyText(amount, l.currency)))
	return amount
}

// explainCharge says which event added the charge.
func (b *book) explainCharge(l *lineRow, e *LineExplanation) *big.Rat {
	event := b.event(l.item)
	e.Event = event.ref()
	if event == nil {
		return nil
	}
	amount, ok := new(big.Rat).SetString(event.field("amount"))
	if !ok {
		return nil
	}
	e.Arithmetic = append(e.Arithmetic, "the amount of the event: "+moneyText(amount, l.currency))
	return amount
}

// explainOverage says by which step of which plan version the overage is charged.
func (b *book) explainOverage(l *lineRow, e *LineExplanation) *big.Rat {
	name := planOf(l.item)
	step := 0
	_, _ = fmt.Sscan(strings.TrimPrefix(l.item, name+"/"), &step) // an item of another form has no step
	perCredit := rational(l.unitPrice)
	// A version that counted in the month and charges this price in this step: of several
	// the newest.
	for _, p := range slices.Backward(b.mill.Catalog.Plans()) {
		price, exact, ok := overagePrice(p, step, l.currency)
		if p.Name != name || !ok || !p.EffectiveFrom.Before(l.to) || !b.mill.knew(l.doc.run, plan, p.VersionRef) {
			continue
		}
		if rounded, err := money.RoundPrice(exact); err != nil || rounded.Rat().Cmp(perCredit) != 0 {
			continue
		}
		e.Plan = &VersionOf{Name: p.Name, Version: p.Version, File: p.File, Step: &step}
		per, quantity := p.Overage.Per.Rat(), rational(l.quantity)
		count := new(big.Rat).Quo(quantity, per)
		text := fmt.Sprintf("%s credits ÷ %s × %s", fixed.Group(plainDecimal(l.quantity)), fixed.Group(p.Overage.Per.String()), moneyText(price.Rat(), l.currency))
		if p.Overage.Blocks {
			whole := new(big.Int).Add(count.Num(), new(big.Int).Sub(count.Denom(), big.NewInt(1)))
			count.SetInt(whole.Quo(whole, count.Denom()))
			text = fmt.Sprintf("%s credits in started blocks of %s: %s × %s", fixed.Group(plainDecimal(l.quantity)), fixed.Group(p.Overage.Per.String()), fixed.Group(exactText(count)), moneyText(price.Rat(), l.currency))
		}
		amount := count.Mul(count, price.Rat())
		e.Arithmetic = append(e.Arithmetic, text+" = "+moneyText(amount, l.currency))
		return amount
	}
	e.Note = optionalText("no version of the plan in the configuration has this price in this step")
	return nil
}

// explainTax says what the tax is on, and which event set it.
func (b *book) explainTax(l *lineRow, e *LineExplanation) *big.Rat {
	set := b.lastEvent(l.to.Add(-time.Microsecond), func(r *eventRow) bool {
		return (r.kind == typeOpened || r.kind == "account.updated") && r.field("tax") != ""
	})
	e.Event = set.ref()
	if !l.taxRate.Valid {
		return nil
	}
	base := new(big.Rat)
	var texts []string
	for _, other := range b.linesOf(l.number) {
		if other.kind != lineTax {
			base.Add(base, rational(other.amount))
			texts = append(texts, fixed.Group(inMinorUnits(other.amount, l.currency)))
		}
	}
	if len(texts) > 1 {
		e.Arithmetic = append(e.Arithmetic, "on "+strings.Join(texts, " + ")+" = "+moneyText(base, l.currency))
	}
	tax := new(big.Rat).Mul(base, rational(l.taxRate.String))
	text := fmt.Sprintf("%s × %s = %s", moneyText(base, l.currency), plainDecimal(l.taxRate.String), moneyText(tax, l.currency))
	if set != nil && strings.Contains(strings.ReplaceAll(set.field("tax"), " ", ""), `"reverse_charge":true`) {
		text = "reverse charge, the recipient accounts for the tax: " + text
	}
	e.Arithmetic = append(e.Arithmetic, text)
	return tax
}

// explainCorrection says what a note's line sets right: the same line of the invoice,
// and of the notes of earlier runs.
func (b *book) explainCorrection(l *lineRow, e *LineExplanation) {
	before := new(big.Rat)
	c := &ExplainedCorrection{Lines: []LineRef{}, Cause: optionalText(l.cause), Run: refOf(b.mill.Lake.State().Milestone(l.doc.run))}
	for _, o := range b.sameLine(l, func(o *lineRow) bool { return o.doc.run < l.doc.run }) {
		before.Add(before, rational(o.amount))
		c.Lines = append(c.Lines, o.ref())
	}
	after := new(big.Rat).Add(before, rational(l.amount))
	c.Before, c.After = minorText(before, l.currency), minorText(after, l.currency)
	e.Correction = c
	e.Arithmetic = []string{fmt.Sprintf("%s now − %s before = %s %s", moneyText(after, l.currency), moneyText(before, l.currency), moneyText(rational(l.amount), l.currency), l.currency)}
	e.Note = nil
}

// sameLine are the lines of the account's other documents that charge for the same.
func (b *book) sameLine(l *lineRow, is func(*lineRow) bool) []*lineRow {
	return b.find(l.kind, func(o *lineRow) bool {
		return o.doc.of() == l.doc.of() && o.item == l.item && o.from.Equal(l.from) && o.to.Equal(l.to) && is(o)
	})
}

// explainCorrected says what notes of later runs made of a line.
func (b *book) explainCorrected(l *lineRow, e *LineExplanation) {
	later := b.sameLine(l, func(o *lineRow) bool { return o.doc.run > l.doc.run })
	if len(later) == 0 {
		return
	}
	together := rational(l.amount)
	if e.Correction != nil {
		together = rational(e.Correction.After)
	}
	c := &ExplainedCorrected{Lines: []LineRef{}}
	for _, o := range later {
		together = new(big.Rat).Add(together, rational(o.amount))
		c.Lines = append(c.Lines, o.ref())
	}
	c.Together = minorText(together, l.currency)
	e.Corrected = c
}

// minorText writes an exact amount with the digits of its currency.
func minorText(amount *big.Rat, code string) string {
	return inMinorUnits(amount.FloatString(money.AmountScale), code)
}

// addCalls names calls to go on with.
func (d *desk) addCalls(ctx context.Context, b *book, l *lineRow, e *LineExplanation) error {
	state := d.mill.Lake.State()
	if err := d.view(ctx, "explain_burns", lake.Burns, state.Partition(lake.Burns, l.doc.of())); err != nil {
		return err
	}
	if err := d.view(ctx, "explain_rated", lake.Rated, state.Partition(lake.Rated, l.doc.of())); err != nil {
		return err
	}
	switch l.kind {
	case lineOverage:
		return d.addOverage(ctx, b, l, e)
	case lineTopUp:
		if err := d.addRefs(ctx, e, sql.Text("duckdb/explain_instant_calls"), b.account, l.from); err != nil {
			return err
		}
	}
	if e.Bucket != nil {
		return d.addRefs(ctx, e, sql.Text("duckdb/explain_bucket_calls"), b.account, e.Bucket.ID)
	}
	return nil
}

// mostOperations is how many operations of overage are listed.
const mostOperations = 20

func (d *desk) addOverage(ctx context.Context, b *book, l *lineRow, e *LineExplanation) error {
	if err := d.session.Exec(ctx, sql.Text("duckdb/explain_overage"), b.account); err != nil {
		return fmt.Errorf("overage of account %s: %w", b.account, err)
	}
	err := d.eachRow(ctx, func(rows *stdsql.Rows) error {
		var o ExplainedOperation
		err := rows.Scan(&o.Operation, &o.Calls, &o.Credits)
		o.Credits = plainDecimal(o.Credits)
		e.Operations = append(e.Operations, o)
		return err
	}, sql.Text("duckdb/explain_overage_operations"), mostOperations)
	if err != nil {
		return fmt.Errorf("overage of account %s: %w", b.account, err)
	}
	if err := d.addRefs(ctx, e, sql.Text("duckdb/explain_overage_examples")); err != nil {
		return err
	}
	sum := new(big.Rat)
	for _, o := range e.Operations {
		sum.Add(sum, rational(o.Credits))
	}
	if len(e.Operations) < mostOperations && sum.Cmp(rational(l.quantity)) != 0 && e.Note == nil {
		e.Note = optionalText("operations and calls are those of all overage of " + l.doc.of() + ", not of this line alone")
	}
	return nil
}

// addRefs adds the calls of a query, each once. Its last column says why they are
// named.
func (d *desk) addRefs(ctx context.Context, e *LineExplanation, query string, args ...any) error {
	err := d.eachRow(ctx, func(rows *stdsql.Rows) error {
		var c CallRef
		var at time.Time
		if err := rows.Scan(&c.Source, &c.EventID, &at, &c.Operation, &c.Credits, &c.What); err != nil {
			return err
		}
		c.PostedAt, c.Credits = period.FormatInstant(at), plainDecimal(c.Credits)
		i := slices.IndexFunc(e.Calls, func(o CallRef) bool {
			return o.Source == c.Source && o.EventID == c.EventID && o.PostedAt == c.PostedAt
		})
		if i < 0 {
			e.Calls = append(e.Calls, c)
		} else {
			e.Calls[i].What += ", " + c.What
		}
		return nil
	}, query, args...)
	if err != nil {
		return fmt.Errorf("example calls: %w", err)
	}
	return nil
}
