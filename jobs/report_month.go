package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/page"
	"github.com/creditmill/creditmill/internal/period"
)

// ReportPeriod is the page of a month: everything that finance asks of it, each number
// with the statement that gives it. A month that is not closed has a page too, which says
// so. An unknown month is a [ConfigError].
func (m *Mill) ReportPeriod(ctx context.Context, p period.Period) (*page.Page, error) {
	return m.report(ctx, "month_", map[string]string{"period": p.String()}, func(r *reporter) (*page.Page, error) {
		if err := m.checkReported(p); err != nil {
			return nil, err
		}
		month := &monthReport{reporter: r, ctx: ctx, month: p}
		return month.page()
	})
}

// checkReported refuses a month of which the lake can say nothing.
func (m *Mill) checkReported(p period.Period) error {
	first, state := m.Config.FirstPeriod, m.Lake.State()
	last, cut := state.Open(first)
	if cut { // what comes in posts to the next already
		last = last.Next()
	}
	for _, file := range state.Files(lake.Rated) {
		if month, err := period.Parse(file.Partition); err == nil && last.Before(month) {
			last = month
		}
	}
	if p.Before(first) || last.Before(p) {
		return ConfigError{fmt.Errorf("there is nothing of %s: the lake has %s", p, span(first, last))}
	}
	return nil
}

// A monthReport draws the page of a month.
type monthReport struct {
	*reporter
	ctx    context.Context
	month  period.Period
	closed bool
}

func (r *monthReport) ask(name string) page.Query { return r.reporter.ask(r.ctx, name) }

func (r *monthReport) page() (*page.Page, error) {
	m, state := r.mill, r.mill.Lake.State()
	p := &page.Page{
		Issuer: m.Config.Issuer.Name, Title: monthName(r.month),
		Lead:  "Usage, credits, invoices and revenue of the month.",
		Facts: []page.Fact{{Name: "Month", Value: r.month.String()}, {Name: "Time zone", Value: m.Config.TimeZone}, {Name: "As of run", Value: fmt.Sprint(state.Head)}},
		Footer: []string{
			"Every number is the result of the statement folded below it: `creditmill query` with that text gives the same. Days and months are those of the billing time zone, instants are UTC. Amounts of several currencies are never added up.",
			"This page names customers. Keep it as you keep invoices.",
		},
	}
	closing, closed := state.Closed(r.month)
	r.closed = closed
	if closed {
		head, err := r.headAfter(closing.CloseRun)
		if err != nil {
			return nil, err
		}
		p.State = fmt.Sprintf("The month is closed. It was cut by run %d and closed by run %d.", closing.CutRun, closing.CloseRun)
		p.Facts = append(p.Facts, page.Fact{Name: "Head of the log after its close", Value: head})
	} else {
		p.Provisional, p.State = true, r.provisional()
	}
	p.Sections = []page.Section{
		r.glance(), r.overTime(), r.operations(), r.projects(), r.accounts(), r.balances(), r.unpaid(), r.alerts(),
		r.documents(), r.revenue(), r.breaches(), r.keptOut(), r.late(), r.runs(),
	}
	return p, nil
}

// monthName is a month as people say it: "October 2026".
func monthName(p period.Period) string {
	first, err := time.Parse("2006-01", p.String())
	if err != nil {
		return p.String()
	}
	return first.Format("January 2006")
}

// headAfter is the SHA-256 of a run's manifest: what its command has printed.
func (r *monthReport) headAfter(run int64) (string, error) {
	state := r.mill.Lake.State()
	if run == state.Head {
		return state.HeadHash, nil
	}
	next, err := r.mill.Lake.Run(r.ctx, run+1)
	if err != nil {
		return "", err
	}
	return next.Previous, nil
}

// provisional says how far an open month's numbers go.
func (r *monthReport) provisional() string {
	state := r.mill.Lake.State()
	if open, cut := state.Open(r.mill.Config.FirstPeriod); cut && open == r.month {
		return "This month is cut, and its close has not finished: all of it is provisional. `creditmill close` goes on with it."
	}
	applied := state.Applied(r.month)
	if applied == nil {
		return "This month is open, and it was not burned down yet: there are its calls, and no balances. `creditmill apply` makes them."
	}
	at := applied.Now
	if end := r.mill.Calendar.End(r.month); end.Before(at) {
		at = end
	}
	return "This month is open: all of it is provisional. By its last `apply`, balances go as far as " + at.UTC().Format("2006-01-02 15:04:05") + " UTC."
}

// untilClosed is the sentence of a part that only a closed month has.
func (r *monthReport) untilClosed(otherwise string) string {
	if r.closed {
		return otherwise
	}
	return "There is none until the month is closed."
}

// noBalances is the sentence of a part that is made of balances.
func (r *monthReport) noBalances(otherwise string) string {
	if r.closed || r.mill.Lake.State().Applied(r.month) != nil {
		return otherwise
	}
	return "The month was not burned down yet: `creditmill apply` does."
}

func (r *monthReport) glance() page.Section {
	return page.Section{Title: "At a glance", Parts: []page.Part{
		{
			Query: r.ask("report/month_glance"), Table: page.None,
			Cards: []page.Card{
				{Title: "Calls", Value: "calls", Note: "{late_calls} of them late"},
				{Title: "Credits", Value: "credits", Note: "of those calls"},
				{Title: "Accounts active", Value: "active_accounts", Note: "{accounts_with_buckets} with a bucket"},
				{Title: "Overage, credits", Value: "overage", Note: "and {denied} denied"},
				r.heldCard(),
				{Title: "Records rejected", Value: "rejected_faulty", Note: "{rejected} with duplicates and voided calls", Mark: true},
			},
		},
		{
			Query: r.ask("report/month_money"), Table: page.None, Empty: r.untilClosed("No money was moved."),
			Columns: amounts("invoiced", "revenue", "earned", "breakage", "deferred", "deferred_before"),
			Cards: []page.Card{
				{Title: "Invoiced, {currency}", Value: "invoiced", Note: "without tax, with its notes"},
				{Title: "Revenue, {currency}", Value: "revenue", Note: "{earned} earned, {breakage} breakage"},
				{Title: "Deferred, {currency}", Value: "deferred", Note: "{deferred_before} before"},
			},
		},
	}}
}

// heldCard says how many calls are held, or were when the month closed.
func (r *monthReport) heldCard() page.Card {
	if r.closed {
		return page.Card{Title: "Calls held at its close", Value: "held_calls", Note: "left to the next month", Mark: true}
	}
	return page.Card{Title: "Calls held", Value: "held_calls", Note: "kept out of billing", Mark: true}
}

// heldCalls is the column of held calls in a table of what was used.
func (r *monthReport) heldCalls() page.Column {
	if r.closed {
		return page.Column{Name: "held_calls", Title: "held at its close"}
	}
	return page.Column{Name: "held_calls"}
}

// amounts are columns in the currency of their row.
func amounts(names ...string) (columns []page.Column) {
	for _, name := range names {
		columns = append(columns, page.Column{Name: name, As: page.Money})
	}
	return columns
}

// columns are the columns of a table: a name, or a name and a title.
func columns(list ...any) (columns []page.Column) {
	for _, c := range list {
		switch c := c.(type) {
		case string:
			columns = append(columns, page.Column{Name: c})
		case page.Column:
			columns = append(columns, c)
		case []page.Column:
			columns = append(columns, c...)
		}
	}
	return columns
}

func (r *monthReport) runs() page.Section {
	return page.Section{Title: "What made these numbers", Parts: []page.Part{{
		Query: r.ask("report/month_runs"), Table: page.Shown,
		Columns: columns("month", "state", page.Column{Name: "cut_run", As: page.Text}, page.Column{Name: "close_run", As: page.Text}, page.Column{Name: "newest_run", As: page.Text},
			page.Column{Name: "newest_run_at", Title: "of"}, "balances_at"),
	}}}
}
