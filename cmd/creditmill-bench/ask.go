package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/creditmill/creditmill/fixtures/load"
	"github.com/creditmill/creditmill/sql"
)

// questionsStage is what -stages calls the ready questions and the month's report. They
// are asked of a closed month and change nothing: of the lake that the stages before have
// made, or, where nothing else is to be measured, of the one that lies in -dir.
const questionsStage = "questions"

// askedTimes is how often each is asked: the median is shown.
const askedTimes = 3

// An asked is a command that reads the closed month, and what it took.
type asked struct {
	name  string
	args  []string
	aim   time.Duration // that its median is held to
	times []cost
	said  string // how much it answers
}

// askAll asks the ready questions and makes the month's report. What the question
// reconcile says of all accounts together is compared with the load.
func (b *bench) askAll(ctx context.Context, s load.Summary) (all []asked, checks []check, err error) {
	account, err := b.query(ctx, "statements", "SELECT arg_max(account, credits)")
	if err != nil {
		return nil, nil, err
	}
	for _, name := range sql.Names("questions") {
		a := asked{name: name, args: []string{"query", "--question", name, "--format", "csv"}, aim: 2 * time.Second}
		text := sql.Text("questions/" + name)
		if strings.Contains(text, "$period") {
			a.args = append(a.args, "--period", load.Period)
		}
		if strings.Contains(text, "$account") {
			a.args = append(a.args, "--account", account)
		}
		said, err := b.ask(ctx, &a)
		if err != nil {
			return nil, nil, err
		}
		rows, err := csv.NewReader(strings.NewReader(string(said))).ReadAll()
		if err != nil {
			return nil, nil, fmt.Errorf("question %s: %w", name, err)
		}
		if a.said = fmt.Sprintf("%d rows", len(rows)-1); len(rows) == 2 {
			a.said = "1 row"
		}
		if name == "reconcile" {
			found, err := reconciled(rows, s)
			if err != nil {
				return nil, nil, err
			}
			checks = append(checks, found...)
		}
		all = append(all, a)
	}
	page := filepath.Join(b.scratch(), "report.html")
	a := asked{name: "report", args: []string{"report", "--period", load.Period, "--to", page, "--force"}, aim: 10 * time.Second}
	if _, err := b.ask(ctx, &a); err != nil {
		return nil, nil, err
	}
	info, err := os.Stat(page)
	if err != nil {
		return nil, nil, err
	}
	a.said = fmt.Sprintf("%.2f MB", float64(info.Size())/1e6)
	return append(all, a), checks, nil
}

// ask runs a command as often as it is measured, and returns what it printed.
func (b *bench) ask(ctx context.Context, a *asked) (said []byte, err error) {
	for range askedTimes {
		var c cost
		if said, c, err = measure(ctx, nil, b.creditmill, append(slices.Clone(a.args), "--config", filepath.Join(b.dir, "creditmill.yaml"))...); err != nil {
			return nil, err
		}
		a.times = append(a.times, c)
	}
	b.say("%-18s %6.2f s", a.name, median(a.times).wall.Seconds())
	return said, nil
}

// reconciled compares the row of all accounts, which is the first.
func reconciled(rows [][]string, s load.Summary) ([]check, error) {
	if len(rows) < 2 {
		return nil, errors.New("the question reconcile has no rows")
	}
	value := func(column string) string {
		i := slices.Index(rows[0], column)
		if i < 0 {
			return "no column"
		}
		if text := rows[1][i]; strings.Contains(text, ".") {
			return strings.TrimRight(strings.TrimRight(text, "0"), ".")
		}
		return rows[1][i]
	}
	return []check{
		{"credits by the question reconcile", value("rated"), s.Credits},
		{"of these on no statement, or burned otherwise", value("difference"), "0"},
		{"credits on statements, by the question reconcile", value("stated"), s.Credits},
	}, nil
}

// median is the measurement of the middle time; its peak is the greatest.
func median(all []cost) cost {
	if len(all) == 0 {
		return cost{}
	}
	sorted := slices.SortedFunc(slices.Values(all), func(a, b cost) int { return int(a.wall - b.wall) })
	m := sorted[len(sorted)/2]
	for _, c := range all {
		m.peak = max(m.peak, c.peak)
	}
	return m
}

func (r *report) readings() table.Writer {
	t := newTable(2, "question", "answer", "wall s", "CPU s", "peak MB", "aim")
	for _, a := range r.asked {
		m := median(a.times)
		t.AppendRow(table.Row{a.name, a.said, seconds(m.wall), seconds(m.cpu), megabytes(m.peak), fmt.Sprintf("≤ %.0f s", a.aim.Seconds())})
	}
	return t
}
