package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
)

// status prints a status for people: sections only where there is something to say.
func (a *app) status(s jobs.Status, now time.Time) {
	a.printf("Lake %s\n", s.Lake)
	if s.Head == 0 {
		a.printf("  no run yet: start with `creditmill ingest`\n")
	} else {
		a.printf("  run %d is the newest, its SHA-256 %s\n", s.Head, s.HeadHash)
	}
	if run := s.LastClose; run != nil {
		a.printf("  %s was closed by run %d, %s: %s\n", run.Period, run.Number, period.FormatInstant(run.Now), invoiced(run.Totals))
		if s.Rerates > 0 {
			a.printf("  re-rated %s since: `creditmill runs --kind rerate`\n", count(int64(s.Rerates), "time"))
		}
	}
	switch {
	case s.Cut:
		a.printf("  %s is being closed: `creditmill close --period %s` finishes it\n", s.Open, s.Open)
	case now.Before(s.CloseFrom):
		a.printf("  %s is open; it may be closed from %s on\n", s.Open, period.FormatInstant(s.CloseFrom))
	default:
		a.printf("  %s is open and may be closed: `creditmill close`\n", s.Open)
	}
	if p := s.Published; p != nil && p.Run != 0 {
		a.printf("  %s is a copy of run %d, %s\n", printable(p.Place), p.Run, period.FormatInstant(p.Now))
	}
	a.sources(s.Sources)
	a.jobs(s)
	if items := toLookAt(s, now); len(items) > 0 {
		a.printf("\nTo look at\n")
		for _, item := range items {
			a.printf("  %s\n", item)
		}
	} else {
		a.printf("\nNothing to look at.\n")
	}
	if len(s.Runs) > 0 {
		a.printf("\nLast runs\n%s", runGrid(s.Runs))
	}
}

// invoiced is what a close issued: "2 invoices, 66.55 USD".
func invoiced(t lake.Totals) string {
	parts := []string{count(t.Invoices, "invoice")}
	for _, currency := range slices.Sorted(maps.Keys(t.Money)) {
		parts = append(parts, moneyText(decimal(t.Money[currency]), currency)+" "+currency)
	}
	return strings.Join(parts, ", ")
}

func (a *app) sources(sources []jobs.SourceStatus) {
	if len(sources) == 0 {
		return
	}
	a.printf("\nSources\n")
	grid := newGrid("source", "newest call", "expected every", "")
	for _, source := range sources {
		newest, late := instantText(source.Newest), ""
		if newest == "" {
			newest = "none yet"
		}
		if source.Late {
			late = "late"
		}
		grid.add(source.Source, newest, durationText(source.Expect), late)
	}
	a.printf("%s", grid)
}

// jobs prints what the schedule does next.
func (a *app) jobs(s jobs.Status) {
	if len(s.Jobs) == 0 {
		return
	}
	a.printf("\nJobs of the schedule\n")
	grid := newGrid("job", "next", "last run", "", "waits for it").numbers(2)
	for _, job := range s.Jobs {
		run, at := "", ""
		if job.LastRun != 0 {
			run, at = fmt.Sprint(job.LastRun), period.FormatInstant(job.LastAt)
		}
		grid.add(job.Job, period.FormatInstant(job.Next), run, at, strings.Join(waiting(s, job.Job), ", "))
	}
	a.printf("%s", grid)
}

// waiting is the work there is for a job.
func waiting(s jobs.Status, job string) (work []string) {
	if job == "rate" && s.Unrated > 0 {
		work = append(work, notRated(s))
	}
	if job == "rate" && s.Superseded > 0 {
		work = append(work, outdated(s))
	}
	if job == "close" && s.Cut {
		work = append(work, s.Open.String()+" is cut")
	}
	return work
}

func notRated(s jobs.Status) string { return count(s.Unrated, "call") + " not rated yet" }

func outdated(s jobs.Status) string {
	return count(s.Superseded, "call") + " rated with prices since superseded, or held for accounts opened since"
}

// clockTolerance is how far the newest run's clock may be ahead of this machine's.
const clockTolerance = 5 * time.Minute

// toLookAt lists what a person should look at, what is worst first, each with what to do.
func toLookAt(s jobs.Status, now time.Time) (items []string) {
	item := func(format string, args ...any) { items = append(items, fmt.Sprintf(format, args...)) }
	if ahead := s.HeadNow.Sub(now); ahead > clockTolerance {
		item("the newest run was made %s after this machine's clock, at %s: set the clock that is wrong", ahead.Round(time.Minute), period.FormatInstant(s.HeadNow))
	}
	if now.Before(s.OpenStart) && s.LastClose != nil {
		item("%s, the open month, begins at %s: by this machine's clock the month before was closed too early; what still comes for it is late", s.Open, period.FormatInstant(s.OpenStart))
	}
	failing, scheduled := map[string]bool{}, map[string]bool{}
	for _, f := range s.Failures {
		failing[f.Job] = true
		item("%s", failureText(f))
	}
	for _, job := range s.Jobs {
		scheduled[job.Job] = job.Overdue.IsZero()
		if !job.Overdue.IsZero() && !failing[job.Job] {
			item("%s was due at %s and has not done its work: see that something runs it, or run `creditmill %s`", job.Job, period.FormatInstant(job.Overdue), job.Job)
		}
	}
	switch p := s.Published; {
	case p == nil:
	case p.Err != "":
		item("the published copy in %s cannot be looked at: %s", printable(p.Place), printable(p.Err))
	case p.Run == 0:
		item("the published copy in %s does not say what run it is of: it is being changed, or a publish was cut off; `creditmill publish` makes it right", printable(p.Place))
	case s.LastClose != nil && p.Run < s.LastClose.Number:
		item("the published copy in %s is from before the newest close: `creditmill publish`", printable(p.Place))
	}
	for _, source := range s.Sources {
		switch {
		case source.Late && source.Newest.IsZero():
			item("source %s has given nothing yet: find out whether its logs arrive under %s; a close asks for --accept-silence", source.Source, printable(source.Path))
		case source.Late:
			item("source %s is late since %s: find out whether its logs arrive under %s; a close asks for --accept-silence",
				source.Source, period.FormatInstant(source.Since), printable(source.Path))
		}
	}
	if s.Unrated > 0 && !scheduled["rate"] {
		item("%s: `creditmill rate`", notRated(s))
	}
	if s.Superseded > 0 && !scheduled["rate"] {
		item("%s: `creditmill rate`", outdated(s))
	}
	for _, h := range s.Held {
		item("%s of %s held, %s: %s", count(h.Calls, "call"), h.Period, printable(h.Reason), jobs.Resolve(h.Reason))
	}
	if s.HeldEvents > 0 {
		item("%s held: `creditmill held`", count(s.HeldEvents, "account event"))
	}
	if n := total(s.Rejects); n > 0 {
		item("%s in the way of a close (%s): `creditmill rejects`", count(n, "reject"), byReason(s.Rejects))
	}
	for _, u := range s.Unread {
		item("object %s of source %s was not taken in: %s", printable(u.Object), u.Source, printable(u.Reason))
	}
	return append(items, toReRate(s)...)
}

// toReRate lists what a re-rate would settle, and what compaction would.
func toReRate(s jobs.Status) (items []string) {
	item := func(format string, args ...any) { items = append(items, fmt.Sprintf(format, args...)) }
	for _, late := range s.Late {
		item("%s of %s, %s credits, came late and count in %s: `creditmill rerate --from %s` shows what it would change",
			count(late.Calls, "call"), late.Period, grouped(trimmed(late.Credits)), s.Open, late.Period)
	}
	if s.PendingVoids > 0 {
		item("%s voided in closed months: a re-rate takes them out, `creditmill rerate --from %s` shows what it would change", count(s.PendingVoids, "call"), s.VoidsFrom)
	}
	for _, f := range s.Fragmented {
		item("%s is in %s of %s: `creditmill compact` makes them few", f.Table, count(int64(f.Files), "small file"), bytesText(f.Bytes))
	}
	return items
}

func failureText(f jobs.Failure) string {
	next := ""
	if !f.Next.IsZero() {
		next = ", next at " + period.FormatInstant(f.Next)
	}
	what := "fails"
	if f.Blocked {
		what = "is blocked"
	}
	return fmt.Sprintf("job %s %s since %s (%s%s): %s", f.Job, what, period.FormatInstant(f.Since), count(int64(f.Attempts), "attempt"), next, printable(short(f.Error, maxExample)))
}

// bytesText is a number of bytes in MB, rounded up.
func bytesText(n int64) string { return grouped(fmt.Sprint((n+999_999)/1_000_000)) + " MB" }
