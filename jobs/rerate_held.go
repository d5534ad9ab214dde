package jobs

import (
	"context"
	"fmt"

	"github.com/creditmill/creditmill/sql"
)

// compareAll adds what differs in all periods, and what the replay holds that counts
// as things are live.
func (r *replay) compareAll(ctx context.Context, report *RerateReport) error {
	var held []Block
	for _, p := range r.periods {
		if err := r.compare(ctx, p); err != nil {
			return fmt.Errorf("compare %s with what is live: %w", p, err)
		}
		calls, err := r.newlyHeld(ctx, "duckdb/rerate_newly_held", p.String()+": calls held", func(reason string) string { return resolve[reason] })
		if err != nil {
			return err
		}
		held = append(held, calls...)
	}
	events, err := r.newlyHeld(ctx, "duckdb/rerate_newly_held_events", "account events held", func(string) string {
		return "mend what they refer to (accounts, plans, packs)"
	})
	report.Held = append(report.Held, append(held, events...)...)
	return err
}

// newlyHeld are blocks of what a statement finds, by reason.
func (r *replay) newlyHeld(ctx context.Context, statement, what string, resolve func(reason string) string) ([]Block, error) {
	rows, err := r.session.Rows(ctx, sql.Text(statement), r.end)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", statement, err)
	}
	defer rows.Close()
	if r.name != "" {
		what = r.name + ": " + what
	}
	var blocks []Block
	for rows.Next() {
		var reason, example string
		var b Block
		if err := rows.Scan(&reason, &b.Count, &example); err != nil {
			return nil, err
		}
		b.Reason, b.Examples = what+": "+reason, []string{example}
		b.Resolve = resolve(reason) + fmt.Sprintf("; or re-rate with --leave-held to post them to %s", r.open)
		blocks = append(blocks, b)
	}
	return blocks, rows.Err()
}
