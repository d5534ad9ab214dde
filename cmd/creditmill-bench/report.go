package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/creditmill/creditmill/fixtures/load"
)

// A row is a stage's measurements, one of each kind a round (of bare DuckDB two).
type row struct {
	stage   stage
	calls   int64
	shown   bool
	stages  []cost
	against []cost // of bare DuckDB, or of the stages it is measured against
}

// lastOf is what stages took together in the round under way; the peak is the higher.
func (r *report) lastOf(stages []string) (sum cost) {
	for _, row := range r.rows {
		if slices.Contains(stages, row.stage.name) {
			last := row.stages[len(row.stages)-1]
			sum.wall, sum.cpu, sum.peak = sum.wall+last.wall, sum.cpu+last.cpu, max(sum.peak, last.peak)
		}
	}
	return sum
}

// report is all that a run found out.
type report struct {
	settings settings
	summary  load.Summary
	machine  string
	versions string
	date     time.Time
	rows     []row
	asked    []asked
	checks   []check
}

func wrong(checks []check) []check {
	var bad []check
	for _, c := range checks {
		if c.got != c.want {
			bad = append(bad, c)
		}
	}
	return bad
}

// failed is an error when the pipeline's totals are not those of the load.
func (r *report) failed() error {
	if bad := wrong(r.checks); len(bad) > 0 {
		return fmt.Errorf("%d of %d totals are wrong, the first: %s: got %s, want %s", len(bad), len(r.checks), bad[0].what, bad[0].got, bad[0].want)
	}
	return nil
}

// print writes the report, as Markdown or for a terminal.
func (r *report) print(w io.Writer, markdown bool) error {
	render := func(t table.Writer) string {
		if markdown {
			return t.RenderMarkdown()
		}
		return t.Render()
	}
	s := r.summary
	bullet := ""
	if markdown {
		bullet = "- "
	}
	var b strings.Builder
	facts := []string{
		"Date: " + r.date.Format(time.DateOnly),
		"Machine: " + r.machine,
		"Versions: " + r.versions,
		fmt.Sprintf("Load: %d lines (%d copies, %d broken) by %d accounts in %d objects, seed %d: %.2f GB as JSON, %.2f GB gzipped, read from a warm page cache",
			s.Lines, s.Duplicates(), s.Broken, s.Accounts, s.Objects, r.settings.load.Seed, float64(s.PlainBytes)/1e9, float64(s.PackedBytes)/1e9),
		fmt.Sprintf("DuckDB's memory limit: %s, on both sides. Rounds: %d; bare DuckDB ran before and after each stage, and the means are shown", r.settings.load.Memory, r.settings.repeat),
	}
	if len(r.asked) > 0 {
		facts = append(facts, fmt.Sprintf("Questions: each %d times, a process each time, after the last stage; the medians are shown", askedTimes))
	}
	for _, fact := range facts {
		b.WriteString(bullet + fact + "\n")
	}
	if slices.ContainsFunc(r.rows, func(row row) bool { return row.shown }) {
		b.WriteString("\n" + render(r.costs()) + "\n")
	}
	if len(r.asked) > 0 {
		b.WriteString("\n" + render(r.readings()) + "\n")
	}
	b.WriteString("\n" + render(r.totals()) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *report) costs() table.Writer {
	t := newTable(1, "stage", "calls", "calls/s", "wall s", "CPU s", "peak MB", "against", "wall s", "peak MB", "ratio", "aim")
	for _, row := range r.rows {
		if !row.shown {
			continue
		}
		own, other, against := mean(row.stages), mean(row.against), "bare DuckDB"
		if len(row.stage.against) > 0 {
			against = strings.Join(row.stage.against, " + ")
		}
		t.AppendRow(table.Row{
			row.stage.name, row.calls, fmt.Sprintf("%.0f", float64(row.calls)/own.wall.Seconds()),
			seconds(own.wall), seconds(own.cpu), megabytes(own.peak), against, seconds(other.wall), megabytes(other.peak),
			fmt.Sprintf("%.2f", own.wall.Seconds()/other.wall.Seconds()), "≤ " + row.stage.aim,
		})
	}
	return t
}

func (r *report) totals() table.Writer {
	t := newTable(1, "total", "creditmill", "load", "")
	for _, c := range r.checks {
		verdict := "equal"
		if c.got != c.want {
			verdict = "WRONG"
		}
		t.AppendRow(table.Row{c.what, c.got, c.want, verdict})
	}
	return t
}

// newTable is a table whose columns are numbers but for the first ones.
func newTable(words int, header ...any) table.Writer {
	t := table.NewWriter()
	style := table.StyleLight
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	t.AppendHeader(header)
	var columns []table.ColumnConfig
	for i := words; i < len(header); i++ {
		columns = append(columns, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(columns)
	return t
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()) }

func megabytes(n int64) string {
	if n == 0 {
		return "not known"
	}
	return fmt.Sprintf("%.0f", float64(n)/1e6)
}
