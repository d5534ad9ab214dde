package lake

import "time"

// An Output is a file that a step has written to scratch and that a run may
// commit as part of a table.
type Output struct {
	Table            Table
	Partition        string // "" for tables that have none
	Path             string // local Parquet file
	Rows             int64
	Columns          int               // how many of the table's columns the file holds, from the first; 0: all
	MinTime, MaxTime time.Time         // of the rows' time; zero where they have none
	Tags             map[string]string // what a later run wants to know without opening the file
}
