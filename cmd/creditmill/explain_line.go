package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/creditmill/creditmill/jobs"
)

// documentKinds are the kinds of documents, in words.
var documentKinds = map[string]string{"invoice": "invoice", "credit_note": "credit note", "debit_note": "debit note"}

// explainedLine prints the explanation of a line of an invoice or note.
func (a *app) explainedLine(e *jobs.LineExplanation) {
	l, d := e.Line, e.Document
	a.printf("%s\n", printable(fmt.Sprintf("Line %d of %s %s for account %s: %s %s", l.Line, documentKinds[d.Kind], d.Number, d.Account, grouped(l.Amount), d.Currency)))
	a.printf("\n")
	a.named("what", strings.TrimSuffix(l.Kind+", "+textOf(l.Description), ", "))
	a.named("item", textOf(l.Item))
	if l.Kind != "tax" {
		a.named("quantity", grouped(l.Quantity)+" at "+grouped(l.UnitPrice))
	}
	if l.From == l.To {
		a.named("at", l.From)
	} else {
		a.named("from", l.From+" to "+l.To)
	}
	a.named("issued", fmt.Sprintf("in %s, at %s, by %s", d.Period, d.IssuedAt, runText(d.Run)))
	a.named("plan", versionText(e.Plan))
	a.named("pack", versionText(e.Pack))
	if e.Event != nil {
		a.named("by event", fmt.Sprintf("%s, %s at %s", e.Event.ID, e.Event.Type, e.Event.At))
		if e.Event.PostedAt != e.Event.At {
			a.named("", "it came late and acts from "+e.Event.PostedAt)
		}
		a.named("", string(e.Event.Payload))
	}
	if b := e.Bucket; b != nil {
		a.named("bucket", fmt.Sprintf("%s: %s for %s %s", b.ID, credits(b.Granted), grouped(b.Price), b.Currency))
	}
	for i, line := range e.Arithmetic {
		name := ""
		if i == 0 {
			name = "arithmetic"
		}
		a.named(name, line)
	}
	a.named("note", textOf(e.Note))
	a.disagreement(e.Agrees, textOf(e.Worked), l.Amount)
	a.explainedCorrection(e)
	if c := e.Corrected; c != nil {
		a.section("What later notes made of it")
		for _, line := range c.Lines {
			a.named("corrected by", lineText(line))
		}
		a.named("together", grouped(c.Together)+" "+d.Currency)
	}
	if len(e.Operations) > 0 {
		grid := newGrid("operation", "calls", "credits of overage").numbers(1, 2)
		for _, o := range e.Operations {
			grid.add(o.Operation, grouped(fmt.Sprint(o.Calls)), grouped(o.Credits))
		}
		a.printf("\n%s", grid)
	}
	if len(e.Calls) == 0 {
		return
	}
	a.section("Calls to look at")
	for _, c := range e.Calls {
		a.detail("%s", fmt.Sprintf("creditmill explain %s --account %s", quotedArg(c.EventID), quotedArg(d.Account)))
		a.detail("    %s at %s: %s", credits(c.Credits), c.PostedAt, c.What)
	}
}

// disagreement warns of an amount that the arithmetic does not come to.
func (a *app) disagreement(agrees *bool, worked, amount string) {
	if agrees != nil && !*agrees {
		a.printf("\n  WARNING: the arithmetic comes to %s, the line says %s: the plans and packs of the configuration are not those that made it.\n", grouped(worked), grouped(amount))
	}
}

func (a *app) explainedCorrection(e *jobs.LineExplanation) {
	c := e.Correction
	if c == nil {
		return
	}
	a.section("What it sets right")
	corrects := "what " + textOf(e.Document.CorrectsPeriod) + " should have charged; it had no invoice"
	if e.Document.Corrects != nil {
		corrects = "invoice " + *e.Document.Corrects + " of " + textOf(e.Document.CorrectsPeriod)
	}
	a.named("corrects", corrects)
	a.named("before", grouped(c.Before)+" "+e.Document.Currency)
	for _, line := range c.Lines {
		a.named("", lineText(line))
	}
	a.named("now", grouped(c.After)+" "+e.Document.Currency)
	a.named("cause", textOf(c.Cause))
	if c.Run != nil {
		a.named("by", runText(c.Run))
		a.named("reason", textOf(c.Run.Reason))
	}
}

func versionText(v *jobs.VersionOf) string {
	if v == nil {
		return ""
	}
	words := fmt.Sprintf("%s version %d", v.Name, v.Version)
	if v.Step != nil {
		words += fmt.Sprintf(", step %d of its overage", *v.Step)
	}
	return words + " (" + v.File + ")"
}

// explainedDocument prints all lines of a document in brief.
func (a *app) explainedDocument(e *jobs.DocumentExplanation) {
	d := e.Document
	kind := documentKinds[d.Kind]
	a.printf("%s\n", printable(fmt.Sprintf("%s%s %s for account %s, %s: %s %s in all", strings.ToUpper(kind[:1]), kind[1:], d.Number, d.Account, d.Period, grouped(d.Total), d.Currency)))
	for _, l := range e.Lines {
		a.section(fmt.Sprintf("%s/%d  %s: %s %s", d.Number, l.Line, strings.TrimSuffix(l.Kind+", "+textOf(l.Description), ", "), grouped(l.Amount), d.Currency))
		for _, line := range l.Arithmetic {
			a.detail("%s", line)
		}
		if l.Cause != nil {
			a.detail("cause: %s", *l.Cause)
		}
		if l.Note != nil {
			a.detail("%s", *l.Note)
		}
		a.disagreement(l.Agrees, "something else", l.Amount)
	}
	a.printf("\n`creditmill explain %s/1` says more about a line.\n", printable(d.Number))
}

var plainArg = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,][A-Za-z0-9_./:@%+=,-]*$`)

// quotedArg is an argument as a shell takes it.
func quotedArg(arg string) string {
	if plainArg.MatchString(arg) {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}
