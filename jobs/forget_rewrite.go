package jobs

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/invoice/bucket"
	"github.com/creditmill/creditmill/sql"
)

// A rewriting is a file that has rows of the person and is written anew.
type rewriting struct {
	table lake.Table
	old   lake.File
	live  bool // else documents are made of it
}

// forgetTable says to statements which columns of a table's files change, and how; it
// has the person's fields too.
type forgetTable struct {
	Column, Name, Pseudonym, Mention string

	Files    string // a list of local paths, as SQL
	Rejected bool   // records that mention the person lose their text
	Voided   bool   // the reason may name the person
	Payload  bool   // of account events
	Buckets  bool   // bucket_id begins with the account, percent-encoded: Bucket
	Bucket   string
	Skip     int  // the place after Bucket
	Ledger   bool // detail says in words what a promotion or a void was for
	Lines    bool // description says in words what a one-off charge was for
	ByKey    bool // rows of an account are sorted by key as well
}

// data is what statements need to know of a table and its files.
func (f *forgetting) data(table lake.Table, paths []string) forgetTable {
	of := forgetTable{Column: f.column, Name: f.name, Pseudonym: f.pseudonym, Mention: f.mention, Files: duck.List(paths)}
	switch table.Name {
	case lake.Rejected.Name:
		of.Rejected = true
	case lake.Voided.Name:
		of.Voided = true
	case lake.Statements.Name:
		of.ByKey = f.column == columnKey
	}
	if f.column == columnAccount {
		of.Payload, of.Ledger, of.Lines = table.Name == lake.AccountEvents.Name, table.Name == lake.Ledger.Name, table.Name == lake.InvoiceLines.Name
		of.Buckets = slices.ContainsFunc(table.Columns, func(c lake.Column) bool { return c.Name == "bucket_id" })
		of.Bucket = bucket.Escape(f.name) + "/"
		of.Skip = len(of.Bucket) + 1
	}
	return of
}

// rewrite writes a file anew without the person and drafts the replacement: the same
// rows, in the table's order, with whatever columns the file has.
func (f *forgetting) rewrite(ctx context.Context, i int, out *draft) error {
	r := f.rewrites[i]
	local, err := f.mill.Lake.Path(ctx, r.old)
	if err != nil {
		return err
	}
	path := filepath.Join(f.scratch, fmt.Sprintf("nameless-%d.parquet", i))
	statement := sql.Expand("duckdb/forget_rows", f.data(r.table, []string{local}))
	if r.table.Name == lake.Rejected.Name {
		statement = sql.Expand("duckdb/forget_rejected", f.data(r.table, []string{local}))
	}
	rows, err := f.session.CopyParquet(ctx, statement, path)
	if err == nil && rows != r.old.Rows {
		err = fmt.Errorf("it has %d rows, but run %d wrote %d: `creditmill verify --quick` tells what is damaged", rows, r.old.Run, r.old.Rows)
	}
	if err != nil {
		return fmt.Errorf("write %s anew: %w", r.old.Path, err)
	}
	made := lake.Output{Table: r.table, Partition: r.old.Partition, Path: path, Rows: rows, Columns: r.old.Columns, Tags: originTags(r.old)}
	if r.old.MinTime != nil {
		made.MinTime, made.MaxTime = *r.old.MinTime, *r.old.MaxTime
	}
	out.outputs = append(out.outputs, made)
	if r.live {
		out.replaced = append(out.replaced, r.old)
	}
	return nil
}

// payloads makes the table forget_payloads: of every payload of the person's account
// events what is left of it.
func (f *forgetting) payloads(ctx context.Context) error {
	builder, err := duck.NewBuilder([]duck.Column{{Name: "payload", Type: "VARCHAR"}, {Name: "left_of", Type: "VARCHAR"}})
	if err != nil {
		return err
	}
	var files []lake.File
	for _, r := range f.rewrites {
		if r.table.Name == lake.AccountEvents.Name {
			files = append(files, r.old)
		}
	}
	var texts []string
	if len(files) > 0 {
		if err := f.view(ctx, "forget_events", lake.AccountEvents, files); err != nil {
			return err
		}
		if texts, err = f.texts(ctx, f.expand("duckdb/forget_payloads", nil)); err != nil {
			return fmt.Errorf("look for account events: %w", err)
		}
	}
	for _, text := range texts {
		left, err := f.forgetPayload(text)
		if err != nil {
			return err
		}
		builder.Append(text, left)
	}
	return f.session.Load(ctx, "forget_payloads", builder)
}
