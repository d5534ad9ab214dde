package lake

import "slices"

// An Entry is what the dictionary says of one table, for whoever reads its rows: text in
// Markdown, where names of columns, values and commands stand in backquotes. The types
// of a table's columns are its schema's and stand nowhere else.
type Entry struct {
	Name    string
	About   string   // what it is, in one line
	Row     string   // what one row is
	Key     []string // the columns in whose values no two rows agree, NULL counting as a value
	KeyNote string   // what is to be known of the key; "": nothing
	Order   []string // of the rows within a file, as far as it goes; none: no order
	Changes string   // whether rows of a closed period can change, and which command changes them
	Note    string   // what else is to be known, in paragraphs
	Columns []ColumnEntry
}

// A ColumnEntry is what the dictionary says of one column.
type ColumnEntry struct {
	Name    string
	Type    string // as the schema has it; only the entries of views and session tables write it down
	Unit    string // one of [Units]; "": it has none
	Null    string // when it may be NULL, as "of overage"; "": never
	Meaning string
	Example string   // a value as `query --format csv` prints it
	Values  []string // all values that it can have, where they can be listed
}

// Units are the units of columns with what each means.
var Units = [][2]string{
	{"UTC", "an instant in UTC, to the microsecond; the type has no time zone"},
	{"local", "an instant or a day in the billing time zone (`timezone` in creditmill.yaml)"},
	{"credits", "credits, with 6 digits after the point"},
	{"percent or credits", "percent of a cycle's allowance, or credits: as the row's `kind` says"},
	{"money", "the row's `currency`, with 4 digits after the point; amounts of invoices are in its minor unit"},
	{"money each", "the row's `currency` for one unit or one credit, with 12 digits after the point"},
	{"fraction", "a part of 1: 0.21 is 21 percent"},
	{"calls", "a number of calls"},
	{"records", "a number of records of a log"},
	{"bytes", "a number of bytes"},
	{"days", "a number of days"},
	{"run", "the number of a run: `creditmill runs show N`"},
	{"month", "a month of the billing time zone, as `2026-10`"},
	{"UTC day", "a day in UTC, as `2026-10-31`"},
	{"piece", "what a line counts: units bought, credits, or 1"},
}

// A TypeEntry says what columns of a type hold, and what readers of the files meet: the
// type in Parquet (physical, logical), and in Arrow. A test compares both with files.
type TypeEntry struct{ Type, Holds, Parquet, Arrow string }

// Types are the types of all columns.
var Types = []TypeEntry{
	{text, "text in UTF-8; what is absent is NULL", "BYTE_ARRAY, String", "utf8"},
	{count, "counts, numbers of runs and lines, whole quantities", "INT64, Int(64, signed)", "int64"},
	{ordinal, "versions, rules, places", "INT32, Int(32, signed)", "int32"},
	{flag, "true or false", "BOOLEAN", "bool"},
	{instant, "an instant in UTC, to the microsecond; the type has no time zone", "INT64, Timestamp(microseconds, not adjusted to UTC)", "timestamp[us]"},
	{credits, "credits of one call, decimal quantities", "INT64, Decimal(18, 6)", "decimal(18, 6)"},
	{creditSum, "sums of credits", "FIXED_LEN_BYTE_ARRAY(16), Decimal(38, 6)", "decimal(38, 6)"},
	{amount, "amounts of money", "FIXED_LEN_BYTE_ARRAY(16), Decimal(38, 4)", "decimal(38, 4)"},
	{unitPrice, "unit prices, tax rates", "FIXED_LEN_BYTE_ARRAY(16), Decimal(38, 12)", "decimal(38, 12)"},
}

// Dictionary is the entries of all tables in the order of [Tables], each column with its
// type. A table's partition is no column of its files and has no entry.
func Dictionary() []Entry {
	all := make([]Entry, 0, len(Tables()))
	for _, table := range Tables() {
		entry := entryOf(table.Name)
		columns := make([]ColumnEntry, len(table.Columns))
		for i, column := range table.Columns {
			columns[i] = entry.column(column.Name)
			columns[i].Type = column.Type
		}
		entry.Columns = columns
		all = append(all, entry)
	}
	return all
}

// entryOf is the entry of a table; a test says which have none.
func entryOf(table string) Entry {
	for _, e := range slices.Concat(callEntries, bookEntries, documentEntries) {
		if e.Name == table {
			return e
		}
	}
	return Entry{Name: table}
}

// column is the entry of a column; a test says which have none.
func (e Entry) column(name string) ColumnEntry {
	for _, c := range e.Columns {
		if c.Name == name {
			return c
		}
	}
	return ColumnEntry{Name: name}
}

// DynamicEntry is the entry of a dimension or quantity.
func DynamicEntry(column Column) ColumnEntry {
	what, example := "quantity", "3"
	switch column.Type {
	case DimensionType:
		what, example = "dimension", "high"
	case DecimalQuantityType:
		example = "0.250000"
	}
	return ColumnEntry{
		Name: column.Name, Type: column.Type, Null: "absent, or read before a source declared it",
		Meaning: what + " `" + column.Name + "` of the sources", Example: example,
	}
}
