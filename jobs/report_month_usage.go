package jobs

import "github.com/creditmill/creditmill/internal/page"

func (r *monthReport) overTime() page.Section {
	byDay := r.ask("report/month_days")
	none := "Nothing was used in the month."
	part := func(title, value string) page.Part {
		return page.Part{
			Query: byDay, Empty: none, Table: page.Folded, Down: "day", Across: "operation", Value: value,
			Columns: []page.Column{{Name: "operation", Null: "all others"}},
			Charts:  []page.Chart{page.Columns{Title: title, Over: "day", Places: days(r.month), Series: "operation", Others: "all others", Value: value}},
		}
	}
	s := page.Section{Title: "Usage over time", About: "By the day on which calls burn: what came late stands on the month's first day."}
	s.Parts = []page.Part{part("Credits by day and operation", "credits")}
	if len(byDay.Rows) > 0 {
		s.Parts = append(s.Parts, part("Calls by day and operation", "calls"))
	}
	return s
}

func (r *monthReport) operations() page.Section {
	return page.Section{Title: "By operation", Parts: []page.Part{{
		Query: r.ask("report/month_operations"), Empty: "Nothing was used in the month.",
		Columns: columns("operation", "accounts", "calls", "credits", "late_calls", r.heldCalls()),
		Charts: []page.Chart{
			page.Bars{Title: "Credits", Label: "operation", Value: "credits", Half: true},
			page.Bars{Title: "Calls", Label: "operation", Value: "calls", Half: true},
		},
		Note: "Operations: {shown} of {of}.",
	}}}
}

func (r *monthReport) projects() page.Section {
	return page.Section{Title: "By project", Parts: []page.Part{{
		Query: r.ask("report/month_projects"), Empty: "No call of the month named a project.",
		Columns: columns("project", "account", "keys", "calls", "credits", r.heldCalls()),
		Charts:  []page.Chart{page.Bars{Title: "Credits", Label: "project", Beside: "account", Value: "credits"}},
		Note:    "Projects: {shown} of {of}. Credits used without a project: {without}.",
	}}}
}

func (r *monthReport) accounts() page.Section {
	return page.Section{Title: "Accounts with the most credits", Parts: []page.Part{{
		Query: r.ask("report/month_accounts"), Empty: "No account used anything in the month.",
		Columns: columns("rank", "account", "name", "calls", "credits", page.Column{Name: "charges", Title: "charged, without tax", As: page.Money}, "currency"),
		Charts:  []page.Chart{page.Bars{Title: "Credits", Label: "account", Value: "credits"}},
		Note:    "Accounts: {shown} of {of}.",
	}}}
}

func (r *monthReport) breaches() page.Section {
	return page.Section{Title: "Rate limits", About: "Hours or days in which an account made more calls than its plan allows.", Parts: []page.Part{{
		Query: r.ask("report/month_breaches"), Empty: "No account was over its rate limit.",
		Columns: columns("account", "plan", page.Column{Name: "window_start", Title: "from"}, page.Column{Name: "rate_per", Title: "per"}, "calls", page.Column{Name: "rate_calls", Title: "limit"}, "beyond"),
		Note:    "Windows: {shown} of {of}. Accounts with one: {accounts}.",
	}}}
}

func (r *monthReport) keptOut() page.Section {
	noCall := "No call of the month is held."
	if r.closed {
		noCall = "No call is held in the month any more: what was held at its close has moved on to the next."
	}
	return page.Section{Title: "Held and rejected", About: "What is kept out of billing until somebody has looked. All of it but duplicates and voided calls is in the way of the month's close.", Parts: []page.Part{
		{Title: "Calls held", Query: r.ask("report/month_held"), Empty: noCall},
		{
			Title: "Account events held", Query: r.ask("report/month_held_events"), Empty: "No account event of the month is held.",
			Columns: columns("type", "reason", "events", "accounts", "first", "last"), Note: "Groups: {shown} of {of}.",
		},
		{
			Title: "Records rejected", Query: r.ask("report/month_rejected"), Empty: "No record of the month was rejected.",
			Columns: columns("reason", "source", "records", "objects", "what_to_do"), Note: "Groups: {shown} of {of}.",
		},
	}}
}

func (r *monthReport) late() page.Section {
	return page.Section{Title: "Late usage", Parts: []page.Part{{
		Query: r.ask("report/month_late"), Empty: "No call came late into the month, and none of it came after its cut.",
		Columns: columns("made_in", "burns_in", "calls", "accounts", "credits"),
	}}}
}
