package lake

import (
	"slices"

	"github.com/creditmill/creditmill/internal/duck"
)

// A Column is one column of a table; types are those of SPEC section 11.
type Column = duck.Column

// A Partition says what a table's files are kept apart by.
type Partition int

// How tables are partitioned.
const (
	Whole    Partition = iota // not at all
	ByDay                     // the UTC day of the row's time, "2026-10-31"; of the run where it has none
	ByPeriod                  // the billing period, "2026-10"
)

// A Table is one of the lake's tables: its fixed columns in order, and whether
// the dimensions and quantities that sources declare follow them.
type Table struct {
	Name      string
	Partition Partition
	Columns   []Column
	Dynamic   bool
}

// The types that recur.
const (
	text      = "VARCHAR"
	count     = "BIGINT"
	ordinal   = "INTEGER"
	flag      = "BOOLEAN"
	instant   = "TIMESTAMP"
	credits   = "DECIMAL(18,6)"
	creditSum = "DECIMAL(38,6)"
	amount    = "DECIMAL(38,4)"
	unitPrice = "DECIMAL(38,12)"
)

// Types of dimension and quantity columns.
const (
	DimensionType       = text
	IntegerQuantityType = count
	DecimalQuantityType = credits
)

// The tables of SPEC section 11.
var (
	Objects = Table{"objects", Whole, []Column{
		{"source", text},
		{"object", text},
		{"identity", text},
		{"bytes", count},
		{"records", count},
		{"events", count},
		{"rejects", count},
		{"skipped", count},
		{"run", count},
	}, false}
	Usage = Table{"usage", ByDay, []Column{
		{"event_id", text},
		{"source", text},
		{"account", text},
		{"project", text},
		{"key", text},
		{"operation", text},
		{"time", instant},
		{"object", text},
		{"line", count},
	}, true}
	Rejected = Table{"rejected", ByDay, []Column{
		{"source", text},
		{"object", text},
		{"line", count},
		{"byte_offset", count},
		{"reason", text},
		{"detail", text},
		{"raw", text},
	}, false}
	Rated = Table{"rated", ByPeriod, append(slices.Clone(Usage.Columns),
		Column{"posted_at", instant}, Column{"late", flag}, Column{"price_table", text}, Column{"price_version", ordinal},
		Column{"rule", ordinal}, Column{"credits", credits}, Column{"held", text}), true}
	AccountEvents = Table{"account_events", Whole, []Column{
		{"event_id", text},
		{"type", text},
		{"account", text},
		{"at", instant},
		{"posted_at", instant},
		{"held", text},
		{"payload", text},
	}, false}
	Burns = Table{"burns", ByPeriod, []Column{
		{"account", text},
		{"posted_at", instant},
		{"source", text},
		{"event_id", text},
		{"bucket_id", text},
		{"kind", text},
		{"credits", credits},
	}, false}
	Ledger = Table{"ledger", ByPeriod, []Column{
		{"account", text}, {"at", instant}, {"entry", text}, {"bucket_id", text}, {"credits", creditSum}, {"detail", text},
	}, false}
	Balances = Table{"balances", ByPeriod, []Column{
		{"account", text},
		{"bucket_id", text},
		{"kind", text},
		{"priority", ordinal},
		{"starts_at", instant},
		{"expires_at", instant},
		{"opening", creditSum},
		{"granted", creditSum},
		{"burned", creditSum},
		{"expired", creditSum},
		{"voided", creditSum},
		{"rolled_out", creditSum},
		{"remaining", creditSum},
		{"price", amount},
		{"recognised", amount},
		{"breakage", amount},
		{"deferred", amount},
		{"currency", text},
	}, false}
	Alerts = Table{"alerts", ByPeriod, []Column{
		{"account", text},
		{"kind", text},
		{"threshold", creditSum},
		{"cycle_start", instant},
		{"at", instant},
		{"usage", creditSum},
		{"balance", creditSum},
	}, false}
	Invoices = Table{"invoices", ByPeriod, []Column{
		{"number", text},
		{"kind", text},
		{"account", text},
		{"currency", text},
		{"subtotal", amount},
		{"tax", amount},
		{"total", amount},
		{"paid", amount},
		{"amount_due", amount},
		{"issued_at", instant},
		{"due_at", instant},
		{"corrects", text},
		{"corrects_period", text},
	}, false}
	InvoiceLines = Table{"invoice_lines", ByPeriod, []Column{
		{"number", text},
		{"line", ordinal},
		{"account", text},
		{"kind", text},
		{"item", text},
		{"description", text},
		{"quantity", creditSum},
		{"unit_price", unitPrice},
		{"amount", amount},
		{"tax_rate", unitPrice},
		{"currency", text},
		{"from", instant},
		{"to", instant},
		{"cause", text},
	}, false}
	Statements = Table{"statements", ByPeriod, []Column{
		{"account", text},
		{"operation", text},
		{"project", text},
		{"key", text},
		{"calls", count},
		{"credits", creditSum},
		{"late_calls", count},
		{"held_calls", count},
		{"value", amount},
		{"currency", text},
	}, false}
	Revenue = Table{"revenue", ByPeriod, []Column{
		{"account", text}, {"item", text}, {"kind", text}, {"amount", amount}, {"currency", text},
	}, false}
	// Voided are calls taken back. Their ids stay taken: whoever looks for copies of a
	// call in usage looks here too.
	Voided = Table{"voided", ByDay, append(slices.Clone(Usage.Columns),
		Column{"read_by", count}, Column{"void_reason", text}, Column{"void_pending", flag}, Column{"void_run", count}), true}
	// KeptParties are the customers of documents as they were when a forget made them
	// nameless: an issued document stays as it is. It is the one table that still names them.
	KeptParties = Table{"kept_parties", Whole, []Column{
		{"number", text}, {"account", text}, {"party", text},
	}, false}
	Periods = Table{"periods", Whole, []Column{
		{"period", text}, {"start", instant}, {"end", instant}, {"state", text}, {"cut_run", count}, {"close_run", count},
	}, false}
)

// Tables lists all tables in the order of SPEC section 11, and then those of our own.
func Tables() []Table {
	return []Table{
		Objects, Usage, Rejected, Rated, AccountEvents, Burns, Ledger, Balances, Alerts,
		Invoices, InvoiceLines, Statements, Revenue, Periods, Voided, KeptParties,
	}
}

// Schema returns the table's columns with the dynamic ones, where it takes any.
func (t Table) Schema(dynamic []Column) []Column {
	if !t.Dynamic {
		return t.Columns
	}
	return append(slices.Clone(t.Columns), dynamic...)
}
