package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/sql"
)

// LateUsage is usage of a closed period that came after its cut and counts in the open
// one. A re-rate takes it home.
type LateUsage struct {
	Period  period.Period // that it happened in
	Calls   int64
	Credits string // exact
}

// lateUsage counts the late calls of the open period that happened in closed ones and are
// not held. Only files with rows from before their period are read.
func (d *desk) lateUsage(ctx context.Context) ([]LateUsage, error) {
	m, state := d.mill, d.mill.Lake.State()
	open, _ := state.Open(m.Config.FirstPeriod)
	var files []lake.File
	for _, file := range state.Files(lake.Rated) {
		p, err := period.Parse(file.Partition)
		if err != nil {
			return nil, fmt.Errorf("rated file %s: %w", file.Path, err)
		}
		if !p.Before(open) && file.MinTime.Before(m.Calendar.Start(p)) {
			files = append(files, file)
		}
	}
	if len(files) == 0 {
		return nil, nil
	}
	if err := d.view(ctx, "late_rated", lake.Rated, files); err != nil {
		return nil, err
	}
	if err := d.closedPeriods(ctx); err != nil {
		return nil, err
	}
	rows, err := d.session.Rows(ctx, sql.Text("duckdb/status_late"))
	if err != nil {
		return nil, fmt.Errorf("late usage: %w", err)
	}
	defer rows.Close()
	var late []LateUsage
	for rows.Next() {
		var one LateUsage
		var name string
		if err := rows.Scan(&name, &one.Calls, &one.Credits); err != nil {
			return nil, err
		}
		if one.Period, err = period.Parse(name); err != nil {
			return nil, err
		}
		late = append(late, one)
	}
	return late, rows.Err()
}

// closedPeriods makes the table of the periods that are closed, and their bounds.
func (d *desk) closedPeriods(ctx context.Context) error {
	b, err := duck.NewBuilder([]duck.Column{{Name: "period", Type: "VARCHAR"}, {Name: "starts", Type: "TIMESTAMP"}, {Name: "ends", Type: "TIMESTAMP"}})
	if err != nil {
		return err
	}
	for _, c := range d.mill.Lake.State().Closings() {
		if c.CloseRun != 0 {
			b.Append(c.Period.String(), d.mill.Calendar.Start(c.Period), d.mill.Calendar.End(c.Period))
		}
	}
	return d.session.Load(ctx, "closed_periods", b)
}

// voidsFrom is the first period in which a voided call that waits for a re-rate may have
// happened; zero: none waits.
func (m *Mill) voidsFrom() period.Period {
	var first time.Time
	for _, file := range m.Lake.State().Files(lake.Voided) {
		if file.Pending() > 0 && file.MinTime != nil && (first.IsZero() || file.MinTime.Before(first)) {
			first = *file.MinTime
		}
	}
	if first.IsZero() {
		return period.Period{}
	}
	return later(m.Calendar.Of(first), m.Config.FirstPeriod)
}
