package invoice

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/duck"
	statements "github.com/creditmill/creditmill/sql"
)

// numbers gives documents their numbers without gaps, each series going on after
// the highest number that was ever issued in it (SPEC sections 2 and 7).
type numbers struct {
	template config.Number
	year     int
	last     int64
}

// openNumbers finds, in the view issued, where the template's series of that
// year goes on.
func openNumbers(ctx context.Context, session *duck.Session, template config.Number, year int) (*numbers, error) {
	before, after, _ := strings.Cut(template.Series(year), "{seq}")
	var last sql.NullInt64
	query := statements.Text("duckdb/invoice_last_number")
	if err := session.Row(ctx, query, before, after).Scan(&last); err != nil {
		return nil, fmt.Errorf("highest number of %s so far: %w", template, err)
	}
	return &numbers{template, year, last.Int64}, nil
}

func (n *numbers) next() string {
	n.last++
	return n.template.Render(n.year, n.last)
}
