package jobs

import (
	"slices"
	"strings"

	"github.com/creditmill/creditmill/sql"
)

// A Join is how rows of one table find their row in another: a row of From that Only lets
// through finds exactly one of To.
type Join struct {
	From, To string
	On       string // the columns in which both rows agree, or what must hold, in words
	Only     string // a condition on From in SQL, "": every row finds its row
	OnlyNote string // Only in words
	Query    string // of sql/joins: a row of it for each row of From that Only lets through
}

// Joins are the joins of the dictionary, the tables in their order.
func Joins() []Join {
	return []Join{
		{From: "usage", To: "objects", On: "source, object", Query: "usage_objects", OnlyNote: "an object that changed has several readings: take the newest, or their sum"},
		{From: "rejected", To: "objects", On: "source, object", Query: "rejected_objects", OnlyNote: "as of `usage`"},
		{From: "rated", To: "usage", On: "source, account, event_id, time", Query: "rated_usage"},
		{
			From: "rated", To: "statements", On: "account, operation, project, key, period; NULL meets NULL", Query: "rated_statements",
			Only: "held IS NULL AND period IN (SELECT period FROM statements)", OnlyNote: "calls of closed months that are not held",
		},
		{
			From: "rated", To: "periods", On: "period", Query: "rated_periods",
			Only: "period IN (SELECT period FROM periods)", OnlyNote: "calls of months up to the open one, once a month was cut",
		},
		{
			From: "rated", To: "subscriptions", On: "account, and `posted_at` from `from_at` to before `to_at`", Query: "rated_subscriptions",
			OnlyNote: "an account without a plan has NULL",
		},
		{
			From: "burns", To: "rated", On: "source, account, event_id, posted_at, period", Query: "burns_rated",
			OnlyNote: "the burns of a call add up to its credits; late calls of one id from several months are taken together, see [burns](#burns)",
		},
		{
			From: "burns", To: "balances", On: "bucket_id, period", Query: "burns_balances",
			Only: "bucket_id IS NOT NULL", OnlyNote: "burns of buckets: overage and denied have none",
		},
		{
			From: "ledger", To: "balances", On: "bucket_id, period", Query: "ledger_balances",
			Only: "bucket_id IS NOT NULL", OnlyNote: "entries of buckets: overage and denied have none",
		},
		{
			From: "balances", To: "balances", On: "bucket_id, and the month before: its `remaining` is this one's `opening`", Query: "balances_before",
			Only: "opening > 0 AND period > (SELECT min(period) FROM balances)", OnlyNote: "buckets with an opening",
		},
		{
			From: "balances", To: "account_events", On: "account, and the last part of `bucket_id`, percent-decoded, is `event_id`", Query: "balances_account_events",
			Only: "kind IN ('pack', 'promotion', 'opened')", OnlyNote: "buckets of kind pack, promotion, opened",
		},
		{From: "invoice_lines", To: "invoices", On: "number", Query: "lines_invoices"},
		{
			From: "invoices", To: "invoices", On: "`corrects` is the other's `number`", Query: "notes_invoices",
			Only: "corrects IS NOT NULL", OnlyNote: "notes of a month that had an invoice",
		},
		{From: "invoices", To: "accounts", On: "account", Query: "invoices_accounts", OnlyNote: "so do all tables with an account that was opened"},
		{
			From: "revenue", To: "statements", On: "account, period: of statements the sums", Query: "revenue_statements",
			OnlyNote: "an account without a statement has NULL",
		},
		{
			From: "voided", To: "rated", On: "source, account, event_id, time", Query: "voided_rated",
			Only: "void_pending", OnlyNote: "voided calls that wait for a re-rate",
		},
		{From: "kept_parties", To: "invoices", On: "number", Query: "kept_parties_invoices"},
	}
}

// Statement is the join as a SELECT that can be run: a row for each row of From that Only
// lets through.
func (j Join) Statement() string {
	statement := sql.Text("joins/" + j.Query)
	for strings.HasPrefix(statement, "-- ") {
		_, statement, _ = strings.Cut(statement, "\n")
	}
	return strings.TrimSpace(statement)
}

// Joins are the joins that the table is part of.
func (d Described) Joins() []Join {
	return slices.DeleteFunc(Joins(), func(j Join) bool { return j.From != d.Name && j.To != d.Name })
}
