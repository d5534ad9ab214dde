package jobs

import (
	"cmp"
	"context"

	"github.com/creditmill/creditmill/internal/page"
	"github.com/creditmill/creditmill/internal/period"
)

// ReportAccount is an account's own page, fit to be sent to it: how it stands in a month,
// what it used, and what it was charged. The zero period is the newest that was closed or
// applied. It shows nothing of other accounts, no places of logs and no rules of prices; of
// calls that are held it says how many there are, and it leaves its statements out
// ([page.Page.Bare]). An account or a month that the lake does not have is a [ConfigError].
func (m *Mill) ReportAccount(ctx context.Context, account string, p period.Period) (*page.Page, error) {
	if _, err := m.Lake.Refresh(ctx); err != nil {
		return nil, err
	}
	standing, err := m.reportedStanding(p)
	if err != nil {
		return nil, err
	}
	params := map[string]string{"account": account, "period": standing.Period.String()}
	return m.report(ctx, "account_", params, func(r *reporter) (*page.Page, error) {
		if err := r.CheckAccount(ctx, account); err != nil {
			return nil, err
		}
		a := accountPage{r, ctx, standing}
		return a.page(account), nil
	})
}

// reportedStanding is how far a month has been burned down. One after the open month, which
// may have calls already, has not.
func (m *Mill) reportedStanding(p period.Period) (Standing, error) {
	if p.IsZero() {
		return m.Standing(p)
	}
	if err := m.checkReported(p); err != nil {
		return Standing{}, err
	}
	if open, _ := m.Lake.State().Open(m.Config.FirstPeriod); open.Before(p) {
		return Standing{Period: p}, nil
	}
	return m.Standing(p)
}

// An accountPage is an account's page being made.
type accountPage struct {
	*reporter

	ctx      context.Context
	standing Standing
}

func (a accountPage) page(account string) *page.Page {
	start := a.mill.Calendar.Start(a.standing.Period).In(a.mill.Calendar.Location())
	p := &page.Page{
		Bare:   true,
		Issuer: a.mill.Config.Issuer.Name,
		Lead:   "Credits and usage in " + start.Format("January 2006"),
		Facts:  []page.Fact{{Name: "Account", Value: page.Visible(account)}, {Name: "Month", Value: a.standing.Period.String()}, {Name: "Time zone", Value: a.mill.Calendar.Location().String()}},
		Footer: []string{
			"Days and times are those of the time zone above. Amounts of credits and money are exact.",
		},
	}
	p.State, p.Provisional = a.state()
	glance := a.atAGlance()
	p.Title = page.Visible(cmp.Or(fact(glance.Parts[1].Query, "Name"), account))
	p.Sections = []page.Section{glance, a.balance(), a.consumption(), a.features(), a.activity(), a.beyond(), a.documents()}
	return p
}

// state says whether the numbers of the month are final.
func (a accountPage) state() (text string, provisional bool) {
	switch {
	case a.standing.Closed:
		return "The month is closed.", false
	case a.standing.Applied:
		text = "Provisional: the month is not over. Calls that are still to come in can change its numbers"
		if until := a.standing.until; !until.IsZero() {
			text += "; balances are as of " + until.In(a.mill.Calendar.Location()).Format("2006-01-02 15:04")
		}
		return text + ".", true
	default:
		return "Provisional: what was used so far. Credits have not been taken from balances yet.", true
	}
}

// part asks a statement and shows its table.
func (a accountPage) part(title, name, empty string, columns ...page.Column) page.Part {
	return page.Part{Title: title, Query: a.ask(a.ctx, name), Empty: empty, Columns: columns}
}

func (a accountPage) atAGlance() page.Section {
	sums := a.part("", "report/account_sums", "")
	sums.Table = page.None
	sums.Cards = []page.Card{
		{Title: "Credits left", Value: "credits_left"},
		{Title: "Credits used", Value: "credits_used", Note: "calls: {calls}"},
		{Title: "Overage", Value: "overage", Note: "credits beyond those there were, charged"},
		{Title: "Denied", Value: "denied", Note: "credits that nothing paid for, not charged", Mark: true},
	}
	if shows(sums.Query, "calls_being_looked_at") {
		sums.Cards = append(sums.Cards, page.Card{
			Title: "Calls being looked at", Value: "calls_being_looked_at", Note: "they have no price yet and are in no other number", Mark: true,
		})
	}
	who := a.part("", "report/account_who", "", page.Column{Name: "what", Title: "The account"}, page.Column{Name: "value", Title: " "})
	who.Table = page.Shown
	return page.Section{Title: "At a glance", Parts: []page.Part{sums, who}}
}

// fact is the value of a fact of report/account_who, "" if there is none.
func fact(q page.Query, what string) string {
	for _, row := range q.Rows {
		if row[0].Text == what {
			return row[1].Text
		}
	}
	return ""
}

// shows reports whether a column of the only row of a result is neither NULL nor zero.
func shows(q page.Query, column string) bool {
	for i, name := range q.Columns {
		if name == column && len(q.Rows) > 0 {
			return !q.Rows[0][i].Null && q.Rows[0][i].Text != "0"
		}
	}
	return false
}

func (a accountPage) balance() page.Section {
	buckets := a.part("Credits by where they come from", "report/account_buckets", "There were no credits in this month.",
		page.Column{Name: "bucket", Title: "credits"}, page.Column{Name: "from"}, page.Column{Name: "expires"}, page.Column{Name: "at_start"}, page.Column{Name: "granted"},
		page.Column{Name: "used"}, page.Column{Name: "gone"}, page.Column{Name: "left"})
	buckets.About = "In the order in which they pay. At start and granted are used, gone or left; gone has expired, was rolled over or taken back."
	buckets.Table = page.Shown
	expiring := a.part("What expires next", "report/account_expiring", "Nothing of what is left expires.")
	if !a.standing.Closed && !a.standing.Applied {
		const unknown = "Not known yet: credits have not been taken from balances yet."
		buckets.Empty, expiring.Empty = unknown, unknown
	}
	return page.Section{Title: "Balance", Parts: []page.Part{buckets, expiring}}
}

func (a accountPage) consumption() page.Section {
	daily := a.part("By day", "report/account_days", "The month has not begun.")
	daily.About = "Calls that came late count on the month's first day."
	daily.Columns = []page.Column{{Name: "day"}, {Name: "calls"}, {Name: "credits"}, {Name: "alerts", Title: "alerts reached", Null: " "}}
	daily.Charts = []page.Chart{page.Columns{Title: "Credits by day", Over: "day", Places: days(a.standing.Period), Value: "credits"}}
	monthly := a.part("By month", "report/account_months", "")
	monthly.Columns = []page.Column{
		{Name: "month"},
		{Name: "calls"},
		{Name: "credits"},
		{Name: "overage"},
		{Name: "denied"},
		{Name: "charged", Title: "charged, with tax", As: page.Money},
		{Name: "currency"},
	}
	if len(monthly.Query.Rows) > 1 {
		monthly.Charts = []page.Chart{page.Columns{Title: "Credits by month", Over: "month", Places: a.lastMonths(), Value: "credits", Half: true}}
	}
	alerts := a.part("Alerts", "report/account_alerts", "No alert was reached.")
	late := a.part("Calls of earlier months", "report/account_late", "None: all calls are of this month.")
	late.About = "They became known, or could be priced, only after their own month had been closed."
	return page.Section{Title: "Consumption", Parts: []page.Part{daily, monthly, alerts, late}}
}

// mostMonths is how many months a page looks back, its own one included.
const mostMonths = 12

// lastMonths are the months of the chart by month, as far as the lake goes back.
func (a accountPage) lastMonths() (list []string) {
	first := a.standing.Period.Add(1 - mostMonths)
	if first.Before(a.mill.Config.FirstPeriod) {
		first = a.mill.Config.FirstPeriod
	}
	for p := first; !a.standing.Period.Before(p); p = p.Add(1) {
		list = append(list, p.String())
	}
	return list
}

func (a accountPage) features() page.Section {
	const unused = "Nothing was used."
	share := page.Column{Name: "share", Title: "share, %"}
	operations := a.part("By operation", "report/account_operations", unused,
		page.Column{Name: "operation"}, page.Column{Name: "calls"}, page.Column{Name: "credits"}, share)
	if len(operations.Query.Rows) > 1 {
		operations.Charts = []page.Chart{page.Bars{Title: "Credits by operation", Label: "operation", Value: "credits"}}
	}
	parts := []page.Part{operations}
	models := a.part("By model", "report/account_models", unused,
		page.Column{Name: "model"}, page.Column{Name: "operation", Null: " "}, page.Column{Name: "calls"}, page.Column{Name: "credits"}, share)
	if len(models.Query.Rows) > 1 {
		models.Charts = []page.Chart{page.Bars{Title: "Credits by model", Label: "model", Beside: "operation", Value: "credits"}}
	}
	if len(models.Query.Rows) > 0 {
		parts = append(parts, models)
	}
	projects := a.part("By project and key", "report/account_projects", unused,
		page.Column{Name: "project"}, page.Column{Name: "key", Null: " "}, page.Column{Name: "calls"}, page.Column{Name: "credits"}, share)
	return page.Section{
		Title: "What was used", About: "Shares are of the month's credits, in percent, rounded to two digits.", Parts: append(parts, projects),
	}
}

func (a accountPage) activity() page.Section {
	calls := a.part("The last calls", "report/account_calls", "There were no calls.")
	calls.Table = page.Shown
	calls.Columns = []page.Column{{Name: "time"}, {Name: "operation"}, {Name: "project"}, {Name: "key"}}
	for _, name := range calls.Query.Columns {
		if name == "model" {
			calls.Columns = append(calls.Columns, page.Column{Name: name})
		}
	}
	calls.Columns = append(calls.Columns, page.Column{Name: "credits"}, page.Column{Name: "note", Title: " ", Null: " "})
	events := a.part("The account", "report/account_events", "Nothing has happened to the account.",
		page.Column{Name: "time"}, page.Column{Name: "what"}, page.Column{Name: "item", Title: " ", Null: " "}, page.Column{Name: "credits", Null: " "})
	events.About = "The newest of what happened up to the month's end: plan, packs, top-ups, what was granted, taken back or expired, and settings."
	return page.Section{Title: "Recent activity", Parts: []page.Part{events, calls}}
}

func (a accountPage) beyond() page.Section {
	unpaid := a.part("Overage and denied", "report/account_unpaid", "None: credits paid for every call.")
	unpaid.About = "What no credits paid for, by day. Overage is charged at the plan's price; denied is not charged."
	breaches := a.part("Above the rate limit", "report/account_breaches", "None.")
	breaches.About = "Hours or days with more calls than the plan allows, those with the most above it first."
	return page.Section{Title: "Beyond the plan", Parts: []page.Part{unpaid, breaches}}
}

func (a accountPage) documents() page.Section {
	charged := a.part("Charged for this month", "report/account_charged", "Nothing has been charged for this month.",
		page.Column{Name: "currency"}, page.Column{Name: "documents"}, amount("before_tax"), amount("tax"), amount("total"), amount("paid"), amount("due"))
	charged.About = "The month's invoice and the notes that correct it, together. Due is what was to be paid when they were issued; payments since are not counted."
	if !a.standing.Closed {
		charged.Empty = "The invoice is issued when the month has been closed."
	}
	lines := a.part("Line by line", "report/account_lines", "There are no lines.",
		page.Column{Name: "document"}, page.Column{Name: "line", Null: " "}, page.Column{Name: "what", Title: "for"}, page.Column{Name: "quantity", Null: " "},
		page.Column{Name: "unit_price", As: page.Money, Null: " "}, amount("amount"), page.Column{Name: "currency"})
	if hasValue(lines.Query, "reason") {
		lines.Columns = append(lines.Columns, page.Column{Name: "reason", Null: " "})
	}
	all := a.part("Invoices and notes", "report/account_documents", "There are none.",
		page.Column{Name: "number"}, page.Column{Name: "kind", Null: " "}, page.Column{Name: "month", Null: " "}, page.Column{Name: "issued", Null: " "}, amount("total"), amount("paid"),
		amount("due"), page.Column{Name: "due_on", Null: " "}, page.Column{Name: "currency"})
	if hasValue(all.Query, "corrections") {
		all.Columns = append(all.Columns, page.Column{Name: "corrections", Null: " "})
	}
	return page.Section{Title: "Invoices", Parts: []page.Part{charged, lines, all}}
}

func amount(name string) page.Column { return page.Column{Name: name, As: page.Money} }

// hasValue reports whether a column has a value in any row.
func hasValue(q page.Query, column string) bool {
	for i, name := range q.Columns {
		if name != column {
			continue
		}
		for _, row := range q.Rows {
			if !row[i].Null {
				return true
			}
		}
	}
	return false
}
