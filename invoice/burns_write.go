package invoice

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/parquet"
)

// burn burns every account down, and meanwhile, on goroutines of their own, makes
// the rows of what comes of each and writes the burns. The work is divided by its
// steps and not by accounts: so everything comes in their order, and little waits
// in between.
func (r *run) burn(ctx context.Context) error {
	out := lake.Output{Table: lake.Burns, Partition: r.Period.String(), Path: filepath.Join(r.outputs, lake.Burns.Name+".parquet")}
	work, ctx := errgroup.WithContext(ctx)
	if !r.Provisional && !r.Dry {
		writer, err := newBurnWriter(out.Path)
		if err != nil {
			return fmt.Errorf("write burns: %w", err)
		}
		r.burns = newBurnStream()
		work.Go(func() (err error) {
			if out.Rows, err = writer.write(ctx, r.burns); err != nil {
				return fmt.Errorf("write burns: %w", err)
			}
			return nil
		})
	}
	r.burned = make(chan burned, burnedAhead)
	work.Go(r.addBurned)
	work.Go(func() error {
		defer close(r.burned)
		err := r.burnAccounts(ctx)
		if r.burns != nil {
			err = r.burns.close(ctx, err)
		}
		return err
	})
	if err := work.Wait(); err != nil {
		return err
	}
	r.total()
	if r.burns != nil {
		out.MinTime, out.MaxTime = r.burns.times()
		r.report.Outputs = append(r.report.Outputs, out)
	}
	return nil
}

// A burnWriter writes batches of burns as Parquet. It numbers their names anew, for
// one row group after the other: so its memory does not grow with the accounts.
type burnWriter struct {
	file  *parquet.Writer
	names *names
	batch []uint32 // numbers of a batch's names
}

func newBurnWriter(path string) (*burnWriter, error) {
	w := &burnWriter{names: newNames()}
	var err error
	w.file, err = parquet.Create(path, lake.Burns.Columns, func(number uint32) string { return w.names.text(number) })
	return w, err
}

// write writes what the stream brings until its end, and returns how many rows it were.
func (w *burnWriter) write(ctx context.Context, stream *burnStream) (rows int64, err error) {
	for batch := range stream.batches {
		if err := w.add(batch); err != nil {
			return 0, errors.Join(err, w.file.Abandon())
		}
		stream.spent <- batch
	}
	if err := ctx.Err(); err != nil { // the stream may have ended early
		return 0, errors.Join(err, w.file.Abandon())
	}
	return w.file.Close()
}

func (w *burnWriter) add(b *burnBatch) error {
	w.number(b.names)
	columns := w.file.Columns
	account, postedAt, source, event, bucket, kind, credits := &columns[0], &columns[1], &columns[2], &columns[3], &columns[4], &columns[5], &columns[6]
	begin := 0
	for i := range b.rows {
		row := &b.rows[i]
		account.AppendName(w.batch[row.account])
		postedAt.AppendInt(row.postedAt)
		source.AppendName(w.batch[row.source])
		event.AppendText(b.events[begin:row.event])
		begin = row.event
		if row.bucket == noName {
			bucket.AppendNull()
		} else {
			bucket.AppendName(w.batch[row.bucket])
		}
		kind.AppendName(w.batch[row.kind])
		credits.AppendInt(row.credits)
		if err := w.file.EndRow(); err != nil {
			return err
		}
		if w.file.Pending() == 0 {
			w.names = newNames()
			w.number(b.names)
		}
	}
	return nil
}

// number numbers a batch's names for the row group that is being filled.
func (w *burnWriter) number(names []string) {
	w.batch = w.names.add(w.batch[:0], len(names), func(i int) string { return names[i] })
}
