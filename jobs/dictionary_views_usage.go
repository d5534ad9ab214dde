package jobs

import (
	"slices"

	"github.com/creditmill/creditmill/internal/lake"
)

// usageViewEntries are the dictionary's entries of the views of what was used and what it
// brought, as [viewEntries].
var usageViewEntries = []lake.Entry{
	{
		Name:    "revenue_by_kind",
		About:   "what each closed month recognised, by its kind",
		Row:     "a closed month, a currency and a kind of revenue; zeros are left out",
		Key:     []string{"period", "currency", "kind"},
		Changes: "replaced with `revenue` by `rerate --commit`",
		Columns: []lake.ColumnEntry{
			{Name: "currency", Type: "VARCHAR", Meaning: "of the amount", Example: "EUR"},
			{Name: "kind", Type: "VARCHAR", Meaning: "as in `revenue`", Example: "use", Values: []string{"use", "breakage", "overage", "fee", "other"}},
			{Name: "amount", Type: "DECIMAL(38,4)", Unit: "money", Meaning: "the sum over all accounts", Example: "551.1800"},
			periodOf("the month"),
		},
	},
	{
		Name:    "top_accounts",
		About:   "the accounts of each month by the credits they used, with what they were charged",
		Row:     "a month and an account with priced calls or documents of it",
		Key:     []string{"period", "account"},
		KeyNote: "`rank` counts the accounts of a month from 1: `period` and `rank` are a key, too.",
		Changes: "moves on with each run that rates; a closed month with its re-rates",
		Columns: []lake.ColumnEntry{
			{Name: "rank", Type: "BIGINT", Meaning: "1 for the account with the most credits; of the same credits, in the order of accounts", Example: "1"},
			{Name: "account", Type: "VARCHAR", Meaning: "who is billed", Example: "dunlin"},
			{Name: "name", Type: "VARCHAR", Null: "of an account without a name", Meaning: "its newest name, as in `accounts`", Example: "Dunlin GmbH"},
			{Name: "calls", Type: "BIGINT", Unit: "calls", Meaning: "priced calls", Example: "3"},
			{Name: "credits", Type: "DECIMAL(38,6)", Unit: "credits", Meaning: "what they cost", Example: "65000.000000"},
			{Name: "charges", Type: "DECIMAL(38,4)", Unit: "money", Null: "of an account without an invoice or note for the month, as in a month that is not closed, and of one that was charged in two currencies; one that was wholly taken back does not count", Meaning: "its invoice for the month and the notes that correct it, whenever they were issued: without tax", Example: "570.0000"},
			{Name: "currency", Type: "VARCHAR", Null: "where `charges` is", Meaning: "of the charges", Example: "EUR"},
			periodOf("the month"),
		},
	},
	{
		Name:    "usage_by_day",
		About:   "what was used on each day, by operation",
		Row:     "a day and an operation",
		Key:     []string{"day", "operation"},
		Changes: "moves on with each run that rates; a closed month with its re-rates",
		Note:    "Calls count on the day of their `posted_at`, so that the days of a month add up to its statements: late calls on the first day of the month they post to.",
		Columns: usageColumns("it is 0 in closed months, for a close moves the held on; their statements say how many there were",
			lake.ColumnEntry{Name: "day", Type: "DATE", Unit: "local", Meaning: "the day that calls post on", Example: "2026-11-03"},
			operationOf()),
	},
	{
		Name:    "usage_by_model",
		About:   "what was used by model, the dimension of that name, and operation",
		Row:     "a month, a model and an operation",
		Key:     []string{"period", "model", "operation"},
		Changes: "moves on with each run that rates; a closed month with its re-rates",
		Columns: usageColumns("it is 0 in closed months, for a close moves the held on; their statements say how many there were",
			lake.ColumnEntry{Name: "model", Type: "VARCHAR", Null: "of calls without a model, and of all calls where no source has such a dimension", Meaning: "the dimension `model`", Example: "oak-large"},
			operationOf()),
	},
	{
		Name:    "usage_by_operation",
		About:   "what each account used, by operation",
		Row:     "a month, an account and an operation",
		Key:     []string{"period", "account", "operation"},
		Changes: "moves on with each run that rates; a closed month with its re-rates",
		Note:    statementNote,
		Columns: usageColumns(heldAtClose, accountOf(), operationOf()),
	},
	{
		Name:    "usage_by_project",
		About:   "what each account used, by project and key",
		Row:     "a month, an account, a project and a key",
		Key:     []string{"period", "account", "project", "key"},
		Changes: "moves on with each run that rates; a closed month with its re-rates",
		Note:    statementNote,
		Columns: usageColumns(heldAtClose, accountOf(),
			lake.ColumnEntry{Name: "project", Type: "VARCHAR", Null: "of calls without one", Meaning: "a part of the account: a project, team or member", Example: "search"},
			lake.ColumnEntry{Name: "key", Type: "VARCHAR", Null: "of calls without one", Meaning: "an API key's id", Example: "co-2"}),
	},
}

const (
	statementNote = "A closed month is what its `statements` say, any other what is rated so far."
	heldAtClose   = "of a closed month as its statements say"
)

// usageColumns are the columns of a view of usage: those that it is by, the counts, and
// the month. held is what else is to be known of held calls.
func usageColumns(held string, by ...lake.ColumnEntry) []lake.ColumnEntry {
	return slices.Concat(by, []lake.ColumnEntry{
		{Name: "calls", Type: "BIGINT", Unit: "calls", Meaning: "priced calls", Example: "12"},
		{Name: "credits", Type: "DECIMAL(38,6)", Unit: "credits", Meaning: "what they cost", Example: "70.500000"},
		{Name: "late_calls", Type: "BIGINT", Unit: "calls", Meaning: "of `calls`, those that are late", Example: "0"},
		{Name: "held_calls", Type: "BIGINT", Unit: "calls", Meaning: "beside `calls`: those that are held; " + held, Example: "0"},
		periodOf("the month that calls post to"),
	})
}

func accountOf() lake.ColumnEntry {
	return lake.ColumnEntry{Name: "account", Type: "VARCHAR", Meaning: "who is billed", Example: "cobalt"}
}

func operationOf() lake.ColumnEntry {
	return lake.ColumnEntry{Name: "operation", Type: "VARCHAR", Meaning: "what was called", Example: "image.tag"}
}

func periodOf(meaning string) lake.ColumnEntry {
	return lake.ColumnEntry{Name: "period", Type: "VARCHAR", Unit: "month", Meaning: meaning, Example: "2026-11"}
}
