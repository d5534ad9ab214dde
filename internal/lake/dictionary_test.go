package lake

import (
	"slices"
	"testing"
)

// Every table and every column has an entry, in the schema's order, and no entry is left
// over; keys, orders and units are such as there are.
func TestTheDictionaryIsComplete(t *testing.T) {
	written := slices.Concat(callEntries, bookEntries, documentEntries)
	if len(written) != len(Tables()) {
		t.Errorf("%d entries for %d tables", len(written), len(Tables()))
	}
	for i, described := range Dictionary() {
		table := Tables()[i]
		at := slices.IndexFunc(written, func(e Entry) bool { return e.Name == table.Name })
		if at < 0 {
			t.Errorf("table %s has no entry", table.Name)
			continue
		}
		entry := written[at]
		var names []string
		for _, c := range entry.Columns {
			names = append(names, c.Name)
			if c.Type != "" {
				t.Errorf("%s.%s: the type is the schema's, not %s", table.Name, c.Name, c.Type)
			}
		}
		var schema []string
		for _, c := range table.Columns {
			schema = append(schema, c.Name)
		}
		if !slices.Equal(names, schema) {
			t.Errorf("table %s has the columns %v, its entry %v", table.Name, schema, names)
		}
		if entry.About == "" || entry.Row == "" || entry.Changes == "" || len(entry.Key) == 0 || len(entry.Order) == 0 {
			t.Errorf("table %s: what it is, a row, the key, the order or what changes it is not said", table.Name)
		}
		for _, name := range entry.Order {
			if !slices.Contains(schema, name) {
				t.Errorf("table %s is sorted by %s, which is no column", table.Name, name)
			}
		}
		for _, name := range entry.Key {
			if !slices.Contains(schema, name) && (name != "period" || table.Partition != ByPeriod) {
				t.Errorf("the key of table %s has %s, which is no column", table.Name, name)
			}
		}
		for _, c := range described.Columns {
			checkColumnEntry(t, table.Name, c)
		}
	}
}

func checkColumnEntry(t *testing.T, table string, c ColumnEntry) {
	t.Helper()
	if c.Meaning == "" || c.Example == "" || c.Type == "" {
		t.Errorf("%s.%s: meaning, example or type is missing", table, c.Name)
	}
	if c.Unit != "" && !slices.ContainsFunc(Units, func(u [2]string) bool { return u[0] == c.Unit }) {
		t.Errorf("%s.%s: the unit %q is not explained", table, c.Name, c.Unit)
	}
	if c.Unit == "" && (c.Type == instant || c.Type == credits || c.Type == creditSum || c.Type == amount) {
		t.Errorf("%s.%s is %s without a unit", table, c.Name, c.Type)
	}
	if len(c.Values) > 0 && !slices.Contains(c.Values, c.Example) {
		t.Errorf("%s.%s: the example %s is none of the values", table, c.Name, c.Example)
	}
}
