package jobs

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/lake"
)

// listedObjects is how many keys of raw objects a report names.
const listedObjects = 10

// stillNamed notes where the name stays: parts of ids, of projects and of dimensions in
// the person's rows, which are what joins them, keys of raw objects, and what the log
// and the configuration say.
func (f *forgetting) stillNamed(ctx context.Context) error {
	var table lake.Table
	var files []lake.File
	for i, r := range f.rewrites {
		if r.live {
			table, files = r.table, append(files, r.old)
		}
		if last := i+1 == len(f.rewrites) || f.rewrites[i+1].table.Name != r.table.Name; last && len(files) > 0 {
			if err := f.leftIn(ctx, table, files); err != nil {
				return fmt.Errorf("look for the name in %s: %w", table.Name, err)
			}
			files = nil
		}
	}
	if err := f.leftInKeys(ctx); err != nil {
		return err
	}
	if err := f.leftInLog(ctx); err != nil {
		return err
	}
	return f.leftBeside(ctx)
}

// leftIn looks at the other texts of the person's live rows in a table.
func (f *forgetting) leftIn(ctx context.Context, table lake.Table, files []lake.File) error {
	if table.Name == lake.Rejected.Name {
		return nil // a record is not a person's row
	}
	if err := f.view(ctx, "forget_live", table, files); err != nil {
		return err
	}
	var columns []string
	for _, c := range table.Schema(f.state.Columns) {
		if c.Type == lake.DimensionType && c.Name != f.column && !slices.Contains([]string{"bucket_id", "payload", "detail", "description", "void_reason"}, c.Name) {
			columns = append(columns, c.Name)
		}
	}
	counts, to := make([]int64, len(columns)), make([]any, len(columns))
	for i := range counts {
		to[i] = &counts[i]
	}
	if err := f.session.Row(ctx, f.expand("duckdb/forget_left", map[string]any{"Columns": columns})).Scan(to...); err != nil {
		return err
	}
	for i, n := range counts {
		if n > 0 {
			f.report.Left = append(f.report.Left, StillNamed{Where: table.Name + "." + columns[i], Count: n})
		}
	}
	return nil
}

// leftInKeys looks at the keys of raw objects, which say where every row came from.
func (f *forgetting) leftInKeys(ctx context.Context) error {
	if err := f.view(ctx, "forget_objects", lake.Objects, f.state.Files(lake.Objects)); err != nil {
		return err
	}
	keys, err := f.texts(ctx, f.expand("duckdb/forget_objects", nil))
	if err != nil {
		return fmt.Errorf("look at the keys of raw objects: %w", err)
	}
	f.report.Objects = keys[:min(len(keys), listedObjects)]
	f.report.More = int64(len(keys) - len(f.report.Objects))
	return nil
}

// leftInLog looks at what people have written into the log, which never changes.
func (f *forgetting) leftInLog(ctx context.Context) error {
	return f.mill.eachRun(ctx, 1, f.state.Head, func(run *lake.Run) error {
		said := []string{run.Reason}
		if run.Unread != nil {
			for _, u := range *run.Unread {
				said = append(said, u.Object, u.Reason)
			}
		}
		if f.mentions(strings.Join(said, "\n")) {
			f.report.Left = append(f.report.Left, StillNamed{Where: fmt.Sprintf("runs/%010d.json", run.Number), Count: 1})
		}
		return nil
	})
}

// leftBeside looks at the copies of configuration files and at what is noted of jobs
// that failed.
func (f *forgetting) leftBeside(ctx context.Context) error {
	pattern := regexp.MustCompile(f.mention)
	for _, prefix := range []string{"configs/", "failures/"} {
		for object, err := range f.mill.Lake.Store.List(ctx, prefix) {
			if err != nil {
				return err
			}
			content, err := lake.ReadAll(ctx, f.mill.Lake.Store, object.Key)
			if errors.Is(err, lake.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if pattern.Match(content) {
				f.report.Left = append(f.report.Left, StillNamed{Where: object.Key, Count: 1})
			}
		}
	}
	return nil
}
