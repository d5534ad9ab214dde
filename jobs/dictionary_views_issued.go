package jobs

import (
	"slices"

	"github.com/creditmill/creditmill/internal/lake"
)

// issuedViewEntries are the dictionary's entries of what documents were made of: the
// columns are those of the tables whose older rows they have.
var issuedViewEntries = []lake.Entry{
	issuedEntry(lake.Statements, "statements as each month's close wrote them: the usage that stands on invoices"),
	issuedEntry(lake.Balances, "balances as each month's close wrote them: the credits that stand on invoices"),
}

func issuedEntry(table lake.Table, about string) lake.Entry {
	entries := lake.Dictionary()
	entry := entries[slices.IndexFunc(entries, func(e lake.Entry) bool { return e.Name == table.Name })]
	entry.Name, entry.About, entry.Order = "issued_"+table.Name, about, nil
	entry.Changes = "never, but for a person that a `forget` makes a pseudonym"
	entry.Note = "A re-rate replaces `" + table.Name + "` and leaves issued documents as they are: this has the rows that those were made of. Where nothing was re-rated both have the same rows, of closed months."
	entry.Columns = append(entry.Columns, partitionEntries["period"])
	return entry
}
