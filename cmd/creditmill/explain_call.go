package main

import (
	"fmt"
	"strings"

	"github.com/creditmill/creditmill/jobs"
)

// explainedCall prints the explanation of a call: what became of it first, then how.
func (a *app) explainedCall(e *jobs.CallExplanation) {
	a.printf("%s\n", printable(callHeadline(e)))
	if e.Call != nil {
		a.explainedReading(e)
	}
	if e.Posting != nil {
		a.explainedPosting(e.Posting)
	}
	if e.Price != nil {
		a.explainedPrice(e)
	}
	if e.Held != nil {
		a.section("Held: " + e.Held.Reason)
		if e.Held.Why != nil {
			a.detail("%s", *e.Held.Why)
		}
		a.printf("%s", fold(printable(e.Held.Resolve), "  ", 110))
	}
	if e.Paid != nil {
		a.explainedPaid(e.Paid)
	}
	if len(e.Rerates) > 0 {
		a.section("Re-rated")
		for _, r := range e.Rerates {
			a.explainedRerate(r)
		}
	}
	if len(e.Rejects) > 0 {
		a.explainedRejects(e)
	}
}

// callHeadline says in one line what became of the call.
func callHeadline(e *jobs.CallExplanation) string {
	if e.Call == nil {
		return fmt.Sprintf("%s is no call: %s", e.EventID, inRejected(len(e.Rejects)))
	}
	head := fmt.Sprintf("Call %s of account %s: ", e.EventID, e.Call.Account)
	switch e.State {
	case jobs.CallVoided:
		return head + "taken back, it costs nothing"
	case jobs.CallNotRated:
		if e.Price != nil && e.Price.Version != nil {
			return head + "not rated yet; `creditmill rate` would give it " + credits(e.Price.Credits)
		}
		return head + "not rated yet, and no price is in force for it"
	case jobs.CallHeld:
		return head + "held, it costs nothing until it is released"
	case jobs.CallRated:
		return head + credits(e.Price.Credits) + "; who pays is settled when " + e.Posting.Period + " is closed"
	}
	head += credits(e.Price.Credits)
	if len(e.Paid.By) == 0 {
		return head
	}
	var by []string
	denied := ""
	for _, p := range e.Paid.By {
		if p.Kind == "denied" {
			denied = ", " + grouped(p.Credits) + " denied"
		} else {
			by = append(by, p.Kind+" "+grouped(p.Credits))
		}
	}
	if len(by) > 0 {
		head += ", paid by " + strings.Join(by, ", ")
	}
	return head + denied
}

func inRejected(n int) string {
	if n == 1 {
		return "a rejected record has it in its text"
	}
	return "rejected records have it in their text"
}

func credits(amount string) string {
	if amount == "1" {
		return "1 credit"
	}
	return grouped(amount) + " credits"
}

// section begins a part of an explanation.
func (a *app) section(title string) { a.printf("\n%s\n", printable(title)) }

// detail prints a line of a part.
func (a *app) detail(format string, args ...any) {
	a.printf("  %s\n", printable(fmt.Sprintf(format, args...)))
}

// named prints a line of a part that says what it is; nothing for an empty one.
func (a *app) named(name, value string) {
	if value != "" {
		a.printf("  %-11s %s\n", name, printable(value))
	}
}

func runText(r *jobs.RunRef) string {
	if r == nil {
		return "an unknown run"
	}
	return fmt.Sprintf("run %d (%s, %s)", r.Run, r.Kind, r.Now)
}

// textOf is an optional text, empty for none.
func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (a *app) explainedReading(e *jobs.CallExplanation) {
	a.section("As it was read")
	a.named("stands in", fmt.Sprintf("%s line %d, read by %s", e.Raw.Object, e.Raw.Line, runText(e.Raw.ReadBy)))
	if e.Raw.Text != nil {
		a.named("raw", *e.Raw.Text)
	} else {
		a.named("raw", "cannot be shown: "+textOf(e.Raw.Note))
	}
	if e.Void != nil {
		state := "taken back by "
		if e.Void.Pending {
			state = "to be taken back by the next re-rate of its month, says "
		}
		a.named("void", state+runText(e.Void.Run)+": "+e.Void.Reason)
	}
	c := e.Call
	a.named("source", c.Source)
	a.named("time", c.Time)
	a.named("operation", c.Operation)
	a.named("project", textOf(c.Project))
	a.named("key", textOf(c.Key))
	a.named("dimensions", namedValues(c.Dimensions, false))
	a.named("quantities", namedValues(c.Quantities, true))
}

func namedValues(values []jobs.NamedValue, numbers bool) string {
	var list []string
	for _, v := range values {
		value := v.Value
		if numbers {
			value = grouped(value)
		}
		list = append(list, v.Name+" "+value)
	}
	return strings.Join(list, ", ")
}

func (a *app) explainedPosting(p *jobs.ExplainedPosting) {
	a.section("Where it counts")
	state := "not closed yet"
	if p.Closed != nil {
		state = "closed by " + runText(p.Closed)
	}
	a.named("month", p.Period+", "+state)
	a.named("posted at", p.PostedAt)
	if p.Late {
		a.named("late", textOf(p.Why))
	}
}

func (a *app) explainedPrice(e *jobs.CallExplanation) {
	p := e.Price
	title := "Priced"
	if !p.Rated {
		title = "How it would be priced now"
	}
	if p.Table != nil && p.Version != nil {
		title += fmt.Sprintf(" by %s version %d", *p.Table, *p.Version)
	}
	if p.Rule != nil {
		title += fmt.Sprintf(", rule %d", *p.Rule)
	}
	a.section(title)
	a.named("written in", textOf(p.File))
	if p.Operation != nil {
		a.named("for", strings.Join(append([]string{"operation " + *p.Operation}, p.Conditions...), ", "))
		for i, line := range p.Charge {
			name := ""
			if i == 0 {
				name = "charge"
			}
			a.named(name, line)
		}
	}
	for i, step := range p.Steps {
		name := ""
		if i == 0 {
			name = "arithmetic"
		}
		a.named(name, step.Text)
	}
	a.named("credits", grouped(p.Credits))
	a.named("note", textOf(p.Note))
	if p.Agrees != nil && !*p.Agrees {
		a.printf("\n  WARNING: the arithmetic does not come to what was rated: these are not the prices that rated the call.\n")
		a.detail("%s", textOf(p.Difference))
		a.printf("  Look at what has changed in the price files, and at the lake with `creditmill verify`.\n")
	}
}

func (a *app) explainedPaid(p *jobs.ExplainedPaid) {
	a.section("Who paid")
	if len(p.By) == 0 {
		a.detail("nobody: it costs nothing")
	}
	for _, by := range p.By {
		what := by.Kind
		if by.BucketID != nil {
			what += ", bucket " + *by.BucketID
		}
		a.detail("%s: %s", what, credits(by.Credits))
		if b := by.Bucket; b != nil {
			expires := "never expires"
			if b.ExpiresAt != nil {
				expires = "expires " + *b.ExpiresAt
			}
			a.detail("  %s for %s %s, from %s, %s", credits(b.Granted), grouped(b.Price), b.Currency, b.StartsAt, expires)
		}
		for _, line := range by.Texts {
			a.detail("  %s", line)
		}
		for _, line := range by.Lines {
			a.detail("  invoiced on %s", lineText(line))
		}
		if by.Note != nil {
			a.detail("  %s", *by.Note)
		}
	}
	if p.Note != nil {
		a.detail("%s", *p.Note)
	}
}

// lineText names a line of a document: "INV-2026-000001/2 (overage, …): 9.25 EUR".
func lineText(l jobs.LineRef) string {
	what := l.Kind
	if l.Description != nil {
		what += ", " + *l.Description
	}
	return fmt.Sprintf("%s/%d (%s): %s %s", l.Number, l.Line, what, grouped(l.Amount), l.Currency)
}

func (a *app) explainedRerate(r jobs.ExplainedRerate) {
	a.detail("%s: %s", runText(&r.RunRef), textOf(r.Reason))
	for _, side := range []struct {
		name string
		row  *jobs.RatedRef
	}{{"before", r.Before}, {"after", r.After}} {
		if side.row == nil {
			continue
		}
		words := fmt.Sprintf("%s, posted at %s in %s", credits(side.row.Credits), side.row.PostedAt, side.row.Period)
		if side.row.Late {
			words += ", late"
		}
		if side.row.Table != nil && side.row.Version != nil {
			words += fmt.Sprintf(", by %s version %d", *side.row.Table, *side.row.Version)
		}
		if side.row.Held != nil {
			words += ", held: " + *side.row.Held
		}
		a.detail("  %-7s %s", side.name, words)
	}
	if r.Note != nil {
		a.detail("  %s", *r.Note)
	}
}

func (a *app) explainedRejects(e *jobs.CallExplanation) {
	title := "Rejected copies of it"
	if e.Call == nil || e.State == jobs.CallVoided {
		title = "Rejected"
	}
	a.section(title)
	for _, r := range e.Rejects {
		a.detail("%s line %d: %s: %s", r.Object, r.Line, r.Reason, r.Detail)
		if e.Call == nil && r.Raw != nil {
			a.detail("  %s", *r.Raw)
		}
	}
	if e.Call == nil {
		a.printf("  `creditmill rejects --help` and `creditmill ingest --again` say what can be done about them.\n")
	}
}
