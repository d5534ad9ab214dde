package invoice

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/invoice/bucket"
)

// Burns of several row groups and batches, whose names come and go, are read as
// they were added, in their order.
func TestBurnsAreReadAsAdded(t *testing.T) {
	const rows = 300_000
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "burns.parquet")
	writer, err := newBurnWriter(path)
	must(t, err)
	stream := newBurnStream()
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return stream.close(ctx, addBurns(ctx, stream, rows)) })
	work.Go(func() error {
		n, err := writer.write(ctx, stream)
		if err == nil && n != rows {
			err = fmt.Errorf("%d rows written of %d", n, rows)
		}
		return err
	})
	must(t, work.Wait())
	if first, last := stream.times(); first.UnixMicro() != 1000 || last.UnixMicro() != 1000+rows-1 {
		t.Errorf("times %s to %s", first, last)
	}
	w := newWorld(t, "UTC", "2026-10", smallPlans, filepath.Dir(path))
	burns := duck.Scan{Columns: lake.Burns.Columns, Groups: []duck.Group{{Files: []string{path}}}}
	broken, err := offenders(context.Background(), w.session, `
		SELECT got, want
		FROM (`+burns.SQL()+`) AS got
		POSITIONAL JOIN (
			SELECT 'a' || (i // 1000) AS account, make_timestamp(1000 + i) AS posted_at, 's' || (i % 3) AS source, 'e' || i AS event_id,
				CASE WHEN i % 5 > 0 THEN 'b' || (i // 700) END AS bucket_id, ['denied', 'pack'][1 + CAST(i % 5 > 0 AS INTEGER)] AS kind,
				CAST(i + 1 AS DECIMAL(18, 6)) AS credits
			FROM range(`+strconv.Itoa(rows)+`) r(i)
		) AS want
		WHERE got IS DISTINCT FROM want`, nil)
	must(t, err)
	if broken != "" {
		t.Error(broken)
	}
}

func addBurns(ctx context.Context, stream *burnStream, rows int64) error {
	for i := range rows {
		event := "e" + strconv.FormatInt(i, 10)
		c := make(call, callText+len(event))
		c.fill(&callRow{postedAt: 1000 + i, event: event})
		split := bucket.Split{Kind: bucket.Denied, Credits: (i + 1) * 1_000_000}
		if i%5 > 0 {
			split.Kind, split.Bucket = bucket.Pack, &bucket.Bucket{ID: "b" + strconv.FormatInt(i/700, 10)}
		}
		if err := stream.add(ctx, "a"+strconv.FormatInt(i/1000, 10), "s"+strconv.FormatInt(i%3, 10), c, &split); err != nil {
			return err
		}
	}
	return nil
}

// Who burns does not wait for a writer that has given up.
func TestBurningStopsWhereWritingDoes(t *testing.T) {
	if _, err := newBurnWriter(filepath.Join(t.TempDir(), "missing", "burns.parquet")); err == nil {
		t.Error("a file in no folder")
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	stream := newBurnStream()
	if err := stream.close(ctx, addBurns(ctx, stream, 1_000_000)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
