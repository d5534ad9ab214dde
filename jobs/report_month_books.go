package jobs

import (
	"slices"

	"github.com/creditmill/creditmill/internal/page"
	"github.com/creditmill/creditmill/internal/period"
)

func (r *monthReport) balances() page.Section {
	next := r.month // in which something expires
	if r.closed {
		next = next.Next()
	}
	return page.Section{Title: "Balances", About: "Credits in buckets, from the month's start to its end.", Parts: []page.Part{
		{
			Query: r.ask("report/month_credits"), Table: page.None, Empty: r.noBalances("No bucket was open in the month."),
			Charts: []page.Chart{page.Waterfall{Title: "All credits, from opening to closing", Steps: []page.Step{
				{Column: "opening", Title: "opening"},
				{Column: "granted", Title: "granted", Does: page.Adds},
				{Column: "burned", Title: "burned", Does: page.Takes},
				{Column: "expired", Title: "expired", Does: page.Takes},
				{Column: "voided", Title: "voided", Does: page.Takes},
				{Column: "rolled_out", Title: "rolled out", Does: page.Takes},
				{Column: "remaining", Title: "remaining"},
			}}},
		},
		{Title: "By kind of bucket", Query: r.ask("report/month_buckets"), Empty: r.noBalances("No bucket was open in the month.")},
		{
			Title: "Expired and voided in the month", Query: r.ask("report/month_expired"), Empty: r.noBalances("Nothing expired or was voided in the month."),
			Columns: columns("kind", "buckets", "accounts", page.Column{Name: "expired", Title: "credits expired"}, page.Column{Name: "voided", Title: "credits voided"}, amounts("breakage"), "currency"),
		},
		{
			Title: "What is left, by the month in which it expires", Query: r.ask("report/month_expiring"), Empty: r.noBalances("Nothing is left in any bucket."),
			Down: "month", Across: "kind", Value: "remaining", Columns: []page.Column{{Name: "month", Title: "expires in", Null: "never"}},
			Charts: []page.Chart{page.Columns{Over: "month", Places: monthsFrom(next, 12), Series: "kind", Value: "remaining"}},
		},
	}}
}

// monthsFrom are n months from one on.
func monthsFrom(p period.Period, n int) (list []string) {
	for range n {
		list = append(list, p.String())
		p = p.Next()
	}
	return list
}

func (r *monthReport) unpaid() page.Section {
	s := page.Section{Title: "Overage and denied", About: "Credits that no bucket paid: overage is charged, denied is not; the gateway should have refused those calls.", Parts: []page.Part{
		{
			Query: r.ask("report/month_unpaid"), Table: page.None, Empty: r.noBalances("Buckets paid for everything."),
			Cards: []page.Card{
				{Title: "Overage", Value: "overage", Note: "credits; accounts: {overage_accounts}"},
				{Title: "Denied", Value: "denied", Note: "credits; accounts: {denied_accounts}", Mark: true},
			},
		},
	}}
	if len(s.Parts[0].Query.Rows) > 0 {
		s.Parts = append(s.Parts, page.Part{
			Title: "By account", Query: r.ask("report/month_overage"), Empty: "Buckets paid for everything.",
			Columns: columns("account", "name", page.Column{Name: "overage", Title: "overage, credits"}, page.Column{Name: "amount", Title: "charged, without tax", As: page.Money}, "currency", page.Column{Name: "denied", Title: "denied, credits"}),
			Note:    "Accounts, those with most overage and with most denied: {shown} of {of}.",
		})
	}
	return s
}

func (r *monthReport) alerts() page.Section {
	return page.Section{Title: "Alerts", Parts: []page.Part{{
		Query: r.ask("report/month_alerts"), Empty: r.noBalances("No alert was reached in the month."),
		Charts: []page.Chart{page.Bars{Title: "Accounts", Label: "alert", Value: "accounts"}},
	}}}
}

// values are those of a column, each once, in the order of the rows.
func values(q page.Query, name string) (list []string) {
	i := slices.Index(q.Columns, name)
	for _, row := range q.Rows {
		if !slices.Contains(list, row[i].Text) {
			list = append(list, row[i].Text)
		}
	}
	return list
}

func (r *monthReport) documents() page.Section {
	lines := page.Part{
		Title: "What they charge for", Query: r.ask("report/month_lines"), Empty: r.untilClosed("There is no line."),
		Columns: columns("kind", "currency", "lines", "accounts", amounts("amount")),
	}
	currencies := values(lines.Query, page.ColumnCurrency)
	for _, currency := range currencies {
		lines.Charts = append(lines.Charts, page.Bars{Title: "By kind of line, " + currency, Label: "kind", Value: "amount", Where: page.ColumnCurrency, Is: currency, Half: len(currencies) > 1})
	}
	return page.Section{Title: "Invoices and notes", Parts: []page.Part{
		{
			Title: "Documents of the month", Query: r.ask("report/month_documents"), Empty: r.untilClosed("No account was charged anything."),
			Columns: columns("kind", "currency", "documents", "accounts", amounts("subtotal", "tax", "total", "paid", "amount_due")),
		},
		lines,
		{
			Title: "Notes issued in the month that correct another", Query: r.ask("report/month_notes"), Empty: "There is none.",
			Columns: columns("kind", "corrects", "currency", "documents", amounts("subtotal", "tax", "total")),
		},
	}}
}

func (r *monthReport) revenue() page.Section {
	part := page.Part{
		Query: r.ask("report/month_revenue"), Empty: r.untilClosed("No revenue was recognised, and none is deferred."),
		Columns: columns("currency", amounts("use", "breakage", "overage", "fee", "other", "revenue", "invoiced", "deferred_before", "deferred_added", "deferred")),
	}
	for i, currency := range values(part.Query, page.ColumnCurrency) {
		part.Charts = append(part.Charts,
			page.Waterfall{Title: "Revenue, " + currency, Row: i, Half: true, Steps: []page.Step{
				{Column: "use", Title: "use"},
				{Column: "breakage", Title: "breakage", Does: page.Adds},
				{Column: "overage", Title: "overage", Does: page.Adds},
				{Column: "fee", Title: "fees", Does: page.Adds},
				{Column: "other", Title: "other", Does: page.Adds},
				{Column: "revenue", Title: "revenue"},
			}},
			page.Waterfall{Title: "Deferred revenue, " + currency, Row: i, Half: true, Steps: []page.Step{
				{Column: "deferred_before", Title: "before"},
				{Column: "deferred_added", Title: "added", Does: page.Adds},
				{Column: "use", Title: "use", Does: page.Takes},
				{Column: "breakage", Title: "breakage", Does: page.Takes},
				{Column: "deferred", Title: "deferred"},
			}})
	}
	return page.Section{Title: "Revenue", About: "What was paid for credits is deferred until they are used (use) or lost (breakage).", Parts: []page.Part{part}}
}
