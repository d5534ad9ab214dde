package ingest

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/apache/arrow-go/v18/arrow"
	"golang.org/x/sync/errgroup"

	"github.com/creditmill/creditmill/ingest/decode"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/sql"
)

// A Lines is some of an object's lines, in order.
type Lines struct {
	Number int // of the object
	Lines  []int64
}

// unkeptRaws are the lines of copies that were not known to be copies when they were
// decoded.
func (r *run) unkeptRaws(ctx context.Context) ([]Lines, error) {
	rows, err := r.Session.Rows(ctx, sql.Text("duckdb/ingest_unkept_raw"))
	if err != nil {
		return nil, fmt.Errorf("find copies without raw text: %w", err)
	}
	defer rows.Close()
	var wanted []Lines
	for rows.Next() {
		var number int
		var line int64
		if err := rows.Scan(&number, &line); err != nil {
			return nil, err
		}
		if len(wanted) == 0 || wanted[len(wanted)-1].Number != number {
			wanted = append(wanted, Lines{Number: number})
		}
		last := &wanted[len(wanted)-1]
		last.Lines = append(last.Lines, line)
	}
	return wanted, rows.Err()
}

// KeepRaws reads objects again for the raw text of some of their lines, as rejects
// keep it, and makes the table ingest_raw ("#object", "#line", "#raw") of it, in
// which an object has its place among objects. scratch is a local folder. Lines that
// are not there are left out.
func KeepRaws(ctx context.Context, session *duck.Session, scratch string, objects []Object, wanted []Lines) error {
	pool := decode.NewPool()
	defer pool.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batches := newStream(decode.RawSchema())
	var workers errgroup.Group
	count := min(runtime.GOMAXPROCS(0), len(wanted))
	for part := range count {
		workers.Go(func() error {
			rows := decode.NewRawRows(pool, func(b arrow.RecordBatch) bool { return batches.send(ctx, b) })
			defer rows.Close()
			var unpacker decode.Unpacker
			defer unpacker.Close()
			for i := part; i < len(wanted); i += count {
				if err := readRaws(ctx, &objects[wanted[i].Number], wanted[i], scratch, &unpacker, rows); err != nil {
					return err
				}
			}
			return rows.Flush()
		})
	}
	reading, keeping := batches.between(cancel, workers.Wait, func() error {
		return session.Stream("ingest_raw_batches", batches, func() error { return session.Exec(ctx, sql.Text("duckdb/ingest_raw")) })
	})
	if keeping != nil && reading == nil {
		return fmt.Errorf("keep the raw text of records: %w", keeping)
	}
	return reading
}

func readRaws(ctx context.Context, o *Object, w Lines, scratch string, unpacker *decode.Unpacker, rows *decode.RawRows) (err error) {
	body, err := o.Open(ctx)
	if err != nil {
		return fmt.Errorf("read %s again: %w", o.Key, err)
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	in := &watched{r: body, read: func(int64) {}}
	err = decode.Raws(o.Source, scratch, unpacker.Open(o.Key, in), w.Lines, func(line int64, raw []byte) error {
		return rows.Add(int32(w.Number), line, raw)
	})
	if err == nil {
		err = in.err
	}
	if err != nil {
		return fmt.Errorf("read %s again: %w", o.Key, err)
	}
	return nil
}
