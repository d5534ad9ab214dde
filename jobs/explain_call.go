package jobs

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/creditmill/creditmill/ingest"
	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/sql"
)

// The states of a call in an explanation.
const (
	CallRejected = "rejected"  // no record of the id became a call
	CallVoided   = "voided"    // it was taken back
	CallNotRated = "not_rated" // the next `rate` prices it
	CallHeld     = "held"      // it could not be priced
	CallRated    = "rated"     // priced; its month is not closed
	CallClosed   = "closed"    // priced, and its month is closed: who paid is settled
)

// A CallExplanation is how one call was read, priced and paid for: what `explain
// EVENT-ID --json` prints. What is not known, or does not apply, is null.
type CallExplanation struct {
	Kind    string            `json:"kind"` // call
	EventID string            `json:"event_id"`
	State   string            `json:"state"`
	Call    *ExplainedCall    `json:"call"`
	Raw     *ExplainedRaw     `json:"raw"`
	Void    *ExplainedVoid    `json:"void"`
	Rejects []ExplainedReject `json:"rejects"` // records of the id that are no calls
	Posting *ExplainedPosting `json:"posting"`
	Price   *ExplainedPrice   `json:"price"`
	Held    *ExplainedHeld    `json:"held"`
	Paid    *ExplainedPaid    `json:"paid"`
	Rerates []ExplainedRerate `json:"rerates"`
}

// An ExplainedCall is a call as the mapping of its source read it.
type ExplainedCall struct {
	Source     string       `json:"source"`
	Account    string       `json:"account"`
	Project    *string      `json:"project"`
	Key        *string      `json:"key"`
	Operation  string       `json:"operation"`
	Time       string       `json:"time"`
	Dimensions []NamedValue `json:"dimensions"` // those that it has
	Quantities []NamedValue `json:"quantities"`

	time   time.Time
	object string
	line   int64
	readBy int64
	values map[string]*string // of dimensions and quantities, nil for NULL
}

// A NamedValue is a dimension or quantity as text.
type NamedValue struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// An ExplainedRaw is where a call stands in the raw logs. Text is null where it cannot
// be read there any more; Note says why.
type ExplainedRaw struct {
	Object string  `json:"object"`
	Line   int64   `json:"line"`
	ReadBy *RunRef `json:"read_by"`
	Text   *string `json:"text"` // its first 4 KiB
	Note   *string `json:"note"`
}

// An ExplainedVoid says that a call was taken back.
type ExplainedVoid struct {
	Run     *RunRef `json:"run"`
	Reason  string  `json:"reason"`
	Pending bool    `json:"pending"` // its month's re-rate is still to come
}

// An ExplainedReject is a record that is no call.
type ExplainedReject struct {
	Source string  `json:"source"`
	Object string  `json:"object"`
	Line   int64   `json:"line"`
	Reason string  `json:"reason"`
	Detail string  `json:"detail"`
	Raw    *string `json:"raw"`
}

// An ExplainedPosting is where a call burns.
type ExplainedPosting struct {
	Period   string  `json:"period"`
	PostedAt string  `json:"posted_at"`
	Late     bool    `json:"late"`
	Why      *string `json:"why"`    // of a late one
	Closed   *RunRef `json:"closed"` // the close of the period; null: not closed

	period   period.Period
	postedAt time.Time
}

// An ExplainedHeld says why a call is kept out of billing.
type ExplainedHeld struct {
	Reason  string  `json:"reason"`
	Why     *string `json:"why"` // what it is about the call
	Resolve string  `json:"resolve"`
}

func (d *desk) explainCall(ctx context.Context, id string, o ExplainOptions) (*CallExplanation, error) {
	out := &CallExplanation{Kind: "call", EventID: id, Rejects: []ExplainedReject{}, Rerates: []ExplainedRerate{}}
	if err := d.findCall(ctx, id, o, out); err != nil {
		return nil, err
	}
	if err := d.explainRejects(ctx, out); err != nil {
		return nil, err
	}
	if out.Call == nil {
		if len(out.Rejects) == 0 {
			return nil, fmt.Errorf("%w: no call, no rejected record and no invoice is %q", ErrNothingToExplain, id)
		}
		out.State = CallRejected
		return out, nil
	}
	if err := d.explainRaw(ctx, out); err != nil {
		return nil, err
	}
	row, err := d.ratedRow(ctx, out)
	if err != nil {
		return nil, err
	}
	switch {
	case row == nil && out.Void != nil && !out.Void.Pending:
		out.State = CallVoided
	case row == nil:
		out.State = CallNotRated
		out.Price, err = d.explainPrice(ctx, out, nil)
	default:
		err = d.explainRating(ctx, out, row)
	}
	if err != nil {
		return nil, err
	}
	out.Rerates, err = d.explainRerates(ctx, out)
	return out, err
}

// explainRating explains a call that has a row in rated.
func (d *desk) explainRating(ctx context.Context, out *CallExplanation, row *ratedRow) (err error) {
	out.Posting = d.mill.posting(out.Call, row)
	if out.Price, err = d.explainPrice(ctx, out, row); err != nil {
		return err
	}
	switch {
	case row.held.Valid:
		out.State = CallHeld
		out.Held = &ExplainedHeld{row.held.String, out.Price.why, d.mill.resolveGroup(HeldGroup{
			Reason: row.held.String, Operation: out.Call.Operation, Table: row.table.String, Version: int(row.version.Int64), Rule: int(row.rule.Int64),
			Calls: 1, Accounts: 1, Account: out.Call.Account, First: out.Call.time, Last: out.Call.time,
		})}
		return nil
	case out.Posting.Closed == nil:
		out.State = CallRated
		return nil
	}
	out.State = CallClosed
	out.Paid, err = d.explainPaid(ctx, out, row)
	return err
}

// findCall finds the one call that is meant. Several are a ConfigError that lists
// them with the flags that choose.
func (d *desk) findCall(ctx context.Context, id string, o ExplainOptions, out *CallExplanation) error {
	state := d.mill.Lake.State()
	from, to := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	if !o.Period.IsZero() {
		from, to = d.mill.Calendar.Start(o.Period), d.mill.Calendar.End(o.Period)
	}
	if err := d.usageByRun(ctx, "explain_usage", within(state.Files(lake.Usage), from, to)); err != nil {
		return err
	}
	if err := d.view(ctx, "explain_voided", lake.Voided, within(state.Files(lake.Voided), from, to)); err != nil {
		return err
	}
	rows, err := d.session.Rows(ctx, sql.Expand("duckdb/explain_calls", state.Columns), id, o.Source, o.Account, from, to)
	if err != nil {
		return fmt.Errorf("look for the call: %w", err)
	}
	defer rows.Close()
	var choices []string
	for rows.Next() {
		call, void, err := d.scanCall(ctx, rows)
		if err != nil {
			return fmt.Errorf("look for the call: %w", err)
		}
		flags := fmt.Sprintf("--source %s --account %s --period %s", call.Source, call.Account, d.mill.Calendar.Of(call.time))
		if out.Call == nil || void == nil {
			out.Call = call
		}
		if void != nil { // of a pending one there is the call too
			out.Void = void
		}
		if !slices.Contains(choices, flags) {
			choices = append(choices, flags)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("look for the call: %w", err)
	}
	if len(choices) > 1 {
		return ConfigError{fmt.Errorf("event %q is of several calls; add to the command one of:\n  %s", id, strings.Join(choices, "\n  "))}
	}
	return nil
}

func (d *desk) scanCall(ctx context.Context, rows *stdsql.Rows) (*ExplainedCall, *ExplainedVoid, error) {
	c := &ExplainedCall{Dimensions: []NamedValue{}, Quantities: []NamedValue{}, values: map[string]*string{}}
	var reason stdsql.NullString
	var pending bool
	var run stdsql.NullInt64
	var dynamic any
	err := rows.Scan(&c.Source, &c.Account, &c.Project, &c.Key, &c.Operation, &c.time, &c.object, &c.line, &c.readBy, &reason, &pending, &run, &dynamic)
	if err != nil {
		return nil, nil, err
	}
	c.Time = period.FormatInstant(c.time)
	values, ok := dynamic.([]any)
	columns := d.mill.Lake.State().Columns
	if !ok || len(values) != len(columns) {
		return nil, nil, fmt.Errorf("%d dimensions and quantities are recorded, but the call has %v", len(columns), dynamic)
	}
	for i, column := range columns {
		text, ok := values[i].(string)
		if !ok {
			continue // NULL
		}
		if column.Type == lake.DecimalQuantityType {
			text = plainDecimal(text)
		}
		c.values[column.Name] = &text
		list := &c.Quantities
		if column.Type == lake.DimensionType {
			list = &c.Dimensions
		}
		*list = append(*list, NamedValue{column.Name, text})
	}
	if !run.Valid {
		return c, nil, nil
	}
	ref, err := d.mill.runRef(ctx, run.Int64)
	return c, &ExplainedVoid{ref, reason.String, pending}, err
}

// plainDecimal leaves out the zeros at the end of a decimal's fraction.
func plainDecimal(text string) string {
	if !strings.Contains(text, ".") {
		return text
	}
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// explainRejects lists the records that are copies of the call or, where there is no
// call, those in whose text the id stands by itself.
func (d *desk) explainRejects(ctx context.Context, out *CallExplanation) error {
	if err := d.view(ctx, "explain_rejected", lake.Rejected, d.mill.Lake.State().Files(lake.Rejected)); err != nil {
		return err
	}
	account, object, line := "", "", int64(0)
	if out.Call != nil {
		account, object, line = out.Call.Account, out.Call.object, out.Call.line
	}
	rows, err := d.session.Rows(ctx, sql.Text("duckdb/explain_rejected"), out.EventID, account, object, line)
	if err != nil {
		return fmt.Errorf("look for rejected records: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r ExplainedReject
		if err := rows.Scan(&r.Source, &r.Object, &r.Line, &r.Reason, &r.Detail, &r.Raw); err != nil {
			return fmt.Errorf("look for rejected records: %w", err)
		}
		named := strings.Contains(r.Detail, "call "+out.EventID+" of account ") || r.Raw != nil && standsIn(*r.Raw, out.EventID)
		if out.Call == nil && !named {
			continue
		}
		if len(out.Rejects) < maxListed {
			out.Rejects = append(out.Rejects, r)
		}
	}
	return rows.Err()
}

// standsIn reports whether an id stands in a record by itself, not as part of a
// longer one: what is before and after it ends a value in JSON or CSV.
func standsIn(raw, id string) bool {
	ends := func(text string) bool { return text == "" || strings.ContainsAny(text, "\",;:\t |{}[]") }
	for at := 0; ; {
		i := strings.Index(raw[at:], id)
		if i < 0 {
			return false
		}
		at += i
		before, after := raw[max(at-1, 0):at], raw[at+len(id):min(at+len(id)+1, len(raw))]
		if ends(before) && ends(after) {
			return true
		}
		at++
	}
}

// explainRaw says where the call stands and reads it there again, if the object is
// as it was.
func (d *desk) explainRaw(ctx context.Context, out *CallExplanation) error {
	c := out.Call
	readBy, err := d.mill.runRef(ctx, c.readBy)
	if err != nil {
		return err
	}
	out.Raw = &ExplainedRaw{Object: c.object, Line: c.line, ReadBy: readBy}
	for _, r := range out.Rejects { // a call taken back has it
		if r.Object == c.object && r.Line == c.line && r.Raw != nil {
			out.Raw.Text = r.Raw
			return nil
		}
	}
	text, note, err := d.readRaw(ctx, content{source: c.Source, object: c.object, run: c.readBy, lines: []int64{c.line}})
	out.Raw.Text, out.Raw.Note = text, optionalText(note)
	return err
}

// readRaw reads a line of a raw object; note says why it cannot be read.
func (d *desk) readRaw(ctx context.Context, c content) (text *string, note string, err error) {
	if err := d.view(ctx, "explain_objects", lake.Objects, d.mill.Lake.State().Files(lake.Objects)); err != nil {
		return nil, "", err
	}
	err = d.session.Row(ctx, sql.Text("duckdb/explain_identity"), c.source, c.object, c.run).Scan(&c.identity)
	if err != nil && !errors.Is(err, stdsql.ErrNoRows) {
		return nil, "", err
	}
	i := slices.IndexFunc(d.mill.Sources, func(s *source.Source) bool { return s.Name == c.source })
	if i < 0 {
		return nil, "the configuration has no source " + c.source + " any more", nil
	}
	object, err := d.mill.find(ctx, d.mill.Sources[i], c.object)
	switch {
	case ctx.Err() != nil:
		return nil, "", ctx.Err()
	case err != nil:
		return nil, "the object cannot be looked at: " + err.Error(), nil //nolint:nilerr // the note says it: the rest is explained all the same
	case object.Identity == "":
		return nil, "the object is gone", nil
	case object.Identity != c.identity:
		return nil, "the object has changed since it was read", nil
	}
	if err := ingest.KeepRaws(ctx, d.session, d.scratch, []ingest.Object{object}, []ingest.Lines{{Number: 0, Lines: c.lines}}); err != nil {
		if ctx.Err() != nil {
			return nil, "", err
		}
		return nil, err.Error(), nil
	}
	err = d.session.Row(ctx, `SELECT "#raw" FROM ingest_raw LIMIT 1`).Scan(&text)
	if errors.Is(err, stdsql.ErrNoRows) {
		return nil, "the object has no such line", nil
	}
	return text, "", err
}

// A ratedRow is a call's row in rated.
type ratedRow struct {
	postedAt      time.Time
	late          bool
	table         stdsql.NullString
	version, rule stdsql.NullInt64
	credits       string
	held          stdsql.NullString
	object        string
	line          int64
	period        string
}

// ratedRow is the call's live row; nil if it has none.
func (d *desk) ratedRow(ctx context.Context, out *CallExplanation) (*ratedRow, error) {
	c := out.Call
	files := within(d.mill.Lake.State().Files(lake.Rated), c.time, c.time.Add(time.Microsecond))
	return d.ratedIn(ctx, files, out)
}

// ratedIn is the call's row in files of rated; nil if they do not have it.
func (d *desk) ratedIn(ctx context.Context, files []lake.File, out *CallExplanation) (*ratedRow, error) {
	if err := d.viewBy(ctx, "explain_rated", lake.Rated, files, "#period", partitionOf); err != nil {
		return nil, err
	}
	c := out.Call
	row := new(ratedRow)
	err := d.session.Row(ctx, sql.Text("duckdb/explain_rated"), out.EventID, c.Source, c.Account, c.time).
		Scan(&row.postedAt, &row.late, &row.table, &row.version, &row.rule, &row.credits, &row.held, &row.object, &row.line, &row.period)
	if errors.Is(err, stdsql.ErrNoRows) {
		return nil, nil //nolint:nilnil // no row is no error
	}
	if err != nil {
		return nil, fmt.Errorf("look for the rated call: %w", err)
	}
	return row, nil
}

// posting says where a call burns, and of a late one why there.
func (m *Mill) posting(c *ExplainedCall, row *ratedRow) *ExplainedPosting {
	state := m.Lake.State()
	p, _ := period.Parse(row.period) // the lake names its partitions so
	out := &ExplainedPosting{Period: row.period, PostedAt: period.FormatInstant(row.postedAt), Late: row.late, period: p, postedAt: row.postedAt}
	if closing, ok := state.Closed(p); ok {
		out.Closed = refOf(state.Milestone(closing.CloseRun))
	}
	if !row.late {
		return out
	}
	own := m.Calendar.Of(c.time)
	var why []string
	for _, closing := range state.Closings() {
		cutAt := period.FormatInstant(state.Milestone(closing.CutRun).Now)
		switch {
		case closing.Period.Before(own) || !closing.Period.Before(p):
		case c.readBy < closing.CutRun:
			why = append(why, fmt.Sprintf("it was held when %s was cut by run %d (%s), and was left behind", closing.Period, closing.CutRun, cutAt))
		case len(why) == 0:
			why = append(why, fmt.Sprintf("%s had been cut by run %d (%s) when run %d read it", closing.Period, closing.CutRun, cutAt, c.readBy))
		}
	}
	out.Why = optionalText(strings.Join(why, "; "))
	return out
}
