package jobs

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/account"
	"github.com/creditmill/creditmill/sql"
)

// resolve says how each reason that a call is held for goes away.
var resolve = map[string]string{
	"no_rule":            "write a new version of the price table, of the same effective_from, with a rule for the operation, then `creditmill rate`",
	"null_quantity":      "write a new version of the price table with a rule for calls without the quantity (`when: {quantity: null}`), then `creditmill rate`",
	"unlisted_value":     "write a new version of the price table whose multiply has the value or `otherwise`, then `creditmill rate`",
	"beyond_last_step":   "write a new version of the price table whose last step has no up_to, then `creditmill rate`",
	"overflow":           "look at the call: its credits do not fit 12 digits before the point",
	"account_not_opened": "send an account.opened for the account, or set `accounts: {unknown: {plan: …}}`, then `creditmill rate`",
}

// heldBlocks are the blocks of held usage in the period whose rated rows the
// session shows as period_rated.
func (d *desk) heldBlocks(ctx context.Context) ([]Block, error) {
	rows, err := d.session.Rows(ctx, sql.Text("duckdb/held_by_reason"))
	if err != nil {
		return nil, fmt.Errorf("held usage: %w", err)
	}
	defer rows.Close()
	var blocks []Block
	for rows.Next() {
		var reason, example string
		var n int64
		if err := rows.Scan(&reason, &n, &example); err != nil {
			return nil, err
		}
		blocks = append(blocks, Block{
			Reason: "held calls: " + reason, Count: n, Examples: []string{example},
			Resolve: cmp.Or(resolve[reason], "see `creditmill held`") + "; or close with --leave-held to post them to the next period",
		})
	}
	return blocks, rows.Err()
}

func heldEventBlocks(held []account.Held) []Block {
	byReason := map[string]*Block{}
	for _, h := range held {
		b := byReason[h.Reason]
		if b == nil {
			b = &Block{
				Reason:  "held account events: " + h.Reason,
				Resolve: "mend what they refer to (accounts, plans, packs), or close with --leave-held to post them to the next period",
			}
			byReason[h.Reason] = b
		}
		b.Count++
		b.Examples = append(b.Examples, fmt.Sprintf("%s %s of account %s at %s", h.Event.Type, h.Event.ID, h.Event.Account, period.FormatInstant(h.Event.At)))
	}
	var blocks []Block
	for _, reason := range slices.Sorted(maps.Keys(byReason)) {
		blocks = append(blocks, byReason[reason].bounded())
	}
	return blocks
}

// postHeldEvents sets a close's outputs right for the account events it leaves
// behind: they post again at the next period's first instant (SPEC section 14, 36).
func (d *desk) postHeldEvents(ctx context.Context, burned burnedDown, p period.Period) ([]lake.Output, []lake.File, error) {
	i := slices.IndexFunc(burned.Outputs, ofAccountEvents)
	if i < 0 && len(burned.Held) == 0 {
		return burned.Outputs, nil, nil
	}
	outputs := slices.Clone(burned.Outputs)
	if len(burned.Held) > 0 {
		judged, err := d.scan(ctx, lake.AccountEvents, burned.events)
		if err != nil {
			return nil, nil, err
		}
		if i >= 0 {
			judged.Groups = nil
			judged.Add(outputs[i].Path, 0)
			outputs = slices.Delete(outputs, i, i+1)
		}
		if err := d.session.View(ctx, "judged_events", judged); err != nil {
			return nil, nil, err
		}
		path := filepath.Join(d.scratch, "left_events.parquet")
		rows, err := d.session.CopyParquet(ctx, sql.Text("duckdb/close_post_held_events"), path, d.mill.Calendar.End(p))
		if err != nil {
			return nil, nil, fmt.Errorf("post held account events to %s: %w", p.Next(), err)
		}
		outputs = append(outputs, lake.Output{Table: lake.AccountEvents, Path: path, Rows: rows})
	}
	return outputs, burned.events, nil
}
