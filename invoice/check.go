package invoice

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/invoice/account"
	"github.com/creditmill/creditmill/sql"
)

// burnChecks are the identities of sql/checks that hold as soon as anything is
// burned, billChecks those of invoices; closeChecks need what only a close writes.
func burnChecks() []string {
	return []string{"checks/credits_rated", "checks/bucket_credits", "checks/bucket_ledger", "checks/bucket_opening", "checks/bucket_money"}
}

func billChecks() []string { return []string{"checks/invoice_totals", "checks/invoice_numbers"} }

func closeChecks() []string {
	return []string{"checks/burns_in_ledger", "checks/revenue_recognised", "checks/revenue_charged", "checks/statement_credits"}
}

// examples is how many offending rows of a check are told.
const examples = 3

// check makes the output files readable as views named like their tables and
// runs the checks over them. It leaves no view behind, nor the table rated_accounts.
func (r *run) check(ctx context.Context) (err error) {
	var views []string
	defer func() {
		err = errors.Join(err, r.Session.Exec(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS rated_accounts"))
		for _, view := range views {
			err = errors.Join(err, r.Session.Exec(context.WithoutCancel(ctx), "DROP VIEW IF EXISTS "+view))
		}
	}()
	for _, out := range r.report.Outputs {
		if out.Table.Partition == lake.Whole {
			continue // account_events: what jobs reads by that name stays
		}
		scan := duck.Scan{Columns: out.Table.Columns, Groups: []duck.Group{{Files: []string{out.Path}}}}
		if err := r.Session.View(ctx, out.Table.Name, scan); err != nil {
			return err
		}
		views = append(views, duck.Identifier(out.Table.Name))
	}
	names := burnChecks()
	if !r.Provisional {
		names = append(names, billChecks()...)
	}
	if !r.Provisional && !r.Dry {
		names = append(names, closeChecks()...)
	}
	for _, name := range names {
		broken, err := offenders(ctx, r.Session, sql.Text(name), r.left)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if broken != "" {
			r.report.Checks = append(r.report.Checks, name+": "+broken)
		}
	}
	return nil
}

// left reports whether an account was left out: it has no rows that could add up.
func (r *run) left(name string) bool {
	_, found := slices.BinarySearchFunc(r.report.Missing, name, func(m account.Missing, name string) int {
		return strings.Compare(m.Account, name)
	})
	return found
}

// Offenders runs a check, a query of rows that break a rule, and tells of the first;
// empty if there are none.
func Offenders(ctx context.Context, session *duck.Session, query string, args ...any) (string, error) {
	return offenders(ctx, session, query, nil, args...)
}

// offenders runs a check and tells of the first rows it returns, but for those whose
// column account is of one that was left out (left may be nil); empty if none.
func offenders(ctx context.Context, session *duck.Session, query string, left func(name string) bool, args ...any) (string, error) {
	rows, err := session.Rows(ctx, query, args...)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return "", err
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	var told []string
	count := 0
	whose := slices.Index(columns, "account")
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return "", err
		}
		if whose >= 0 && left != nil {
			if name, ok := values[whose].(string); ok && left(name) {
				continue
			}
		}
		if count++; count > examples {
			continue
		}
		parts := make([]string, len(columns))
		for i, v := range values {
			parts[i] = fmt.Sprintf("%s %v", columns[i], v)
		}
		told = append(told, strings.Join(parts, ", "))
	}
	if count > examples {
		told = append(told, fmt.Sprintf("and %d more", count-examples))
	}
	return strings.Join(told, "; "), rows.Err()
}
