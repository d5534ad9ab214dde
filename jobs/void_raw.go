package jobs

import (
	"context"
	"io"

	"github.com/creditmill/creditmill/ingest"
	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/sql"
)

// A content is what a run read of an object, with some lines of it.
type content struct {
	source, object, identity string
	run                      int64
	lines                    []int64
}

// voidRaws reads the raw text of the calls that leave from the raw objects that are
// as they were: the tables void_object and ingest_raw. What cannot be read any more
// keeps nobody from voiding it.
func (d *desk) voidRaws(ctx context.Context) error {
	contents, err := d.voidContents(ctx)
	if err != nil {
		return err
	}
	builder, err := duck.NewBuilder([]duck.Column{
		{Name: "number", Type: "INTEGER"}, {Name: "source", Type: "VARCHAR"}, {Name: "object", Type: "VARCHAR"}, {Name: "run", Type: "BIGINT"},
	})
	if err != nil {
		return err
	}
	var objects []ingest.Object
	var wanted []ingest.Lines
	for _, c := range contents {
		object, ok := d.mill.unchanged(ctx, c)
		if !ok {
			continue
		}
		builder.Append(len(objects), c.source, c.object, c.run)
		wanted = append(wanted, ingest.Lines{Number: len(objects), Lines: c.lines})
		objects = append(objects, object)
	}
	if err := d.session.Load(ctx, "void_object", builder); err != nil {
		return err
	}
	if err := ingest.KeepRaws(ctx, d.session, d.scratch, objects, wanted); err != nil {
		if ctx.Err() != nil {
			return err
		}
		d.mill.Log.Warn("the raw text of voided calls is not kept", "error", err)
		return ingest.KeepRaws(ctx, d.session, d.scratch, nil, nil)
	}
	return nil
}

func (d *desk) voidContents(ctx context.Context) ([]content, error) {
	if err := d.view(ctx, "objects", lake.Objects, d.mill.Lake.State().Files(lake.Objects)); err != nil {
		return nil, err
	}
	rows, err := d.session.Rows(ctx, sql.Text("duckdb/void_lines"))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var contents []content
	for rows.Next() {
		var c content
		var line int64
		if err := rows.Scan(&c.source, &c.object, &c.run, &c.identity, &line); err != nil {
			return nil, err
		}
		if n := len(contents); n == 0 || contents[n-1].source != c.source || contents[n-1].object != c.object || contents[n-1].run != c.run {
			contents = append(contents, c)
		}
		last := &contents[len(contents)-1]
		last.lines = append(last.lines, line)
	}
	return contents, rows.Err()
}

// unchanged returns a raw object that is as a run read it; not ok where it is not,
// or cannot be looked at.
func (m *Mill) unchanged(ctx context.Context, c content) (object ingest.Object, ok bool) {
	for _, s := range m.Sources {
		if s.Name != c.source {
			continue
		}
		object, err := m.find(ctx, s, c.object)
		if err != nil {
			m.Log.Warn("the raw text of voided calls is not kept", "object", c.object, "error", err)
		}
		return object, err == nil && object.Identity == c.identity
	}
	return object, false
}

// find returns a source's raw object of that key; one that is gone has no identity.
func (m *Mill) find(ctx context.Context, s *source.Source, key string) (ingest.Object, error) {
	found := ingest.Object{Source: s, Key: key}
	store, err := m.openRaw(ctx, s.Raw)
	if err != nil {
		return found, err
	}
	for object, err := range store.List(ctx, key) {
		if err != nil {
			return found, err
		}
		if object.Key == key {
			found.Bytes = object.Bytes
			found.Open = func(ctx context.Context) (io.ReadCloser, error) { return store.Open(ctx, key) }
			found.Identity, err = store.Identity(ctx, object)
			return found, err
		}
	}
	return found, nil
}
