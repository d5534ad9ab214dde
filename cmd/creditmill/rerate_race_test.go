package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/lake/storetest"
)

var rerateArgs = []string{"--from", "2026-10", "--commit", "--reason", "images were too cheap", "--now", "2026-11-05T00:00:00Z"}

// dearer is a closed October whose images cost 3 credits now instead of 2.
func dearer(t *testing.T, server *storetest.S3Server, name string) *duel {
	t.Helper()
	d := newDuel(t, server, name)
	d.must("close", closeArgs...)
	for _, edit := range []struct{ from, to, old, new string }{
		{"prices.yaml", "prices-2.yaml", "version: 1", "version: 2"},
		{"prices-2.yaml", "prices-2.yaml", "credits: 2", "credits: 3"},
		{defaultConfig, defaultConfig, "prices: [prices.yaml]", "prices: [prices.yaml, prices-2.yaml]"},
	} {
		text, err := os.ReadFile(filepath.Join(d.dir, edit.from))
		if err == nil {
			err = os.WriteFile(filepath.Join(d.dir, edit.to), []byte(strings.Replace(string(text), edit.old, edit.new, 1)), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// dearerNotes are the debit notes by hand: of account n, 3 calls of n images cost 3n
// credits more in all. The plan's 10 cover the first account still, and the others had
// used it up: 0.50 each.
func dearerNotes() string {
	var rows strings.Builder
	for n := 2; n <= duelAccounts; n++ {
		fmt.Fprintf(&rows, "DN-2026-%06d,debit_note,duel-%02d,%d.%d000,INV-2026-%06d\n", n-1, n, 3*n/2, 5*(n%2), n)
	}
	return rows.String()
}

const notesQuery = "SELECT number, kind, account, total, corrects FROM invoices WHERE kind <> 'invoice' ORDER BY number"

// oneGeneration is, in one statement, what calls cost, what accounts burned, and what they
// are charged for overage.
const oneGeneration = `
SELECT (SELECT sum(credits) FROM rated) AS rated, (SELECT sum(credits) FROM burns) AS burned,
    (SELECT sum(credits) FROM ledger WHERE period = '2026-10' AND entry IN ('burn', 'overage', 'denied')) AS booked,
    (SELECT sum(credits) FROM statements) AS stated, (SELECT sum(amount) FROM invoice_lines WHERE kind = 'overage') AS charged,
    (SELECT sum(amount) FROM revenue WHERE kind = 'overage') AS recognised`

// By hand: images are 3 × (1 + … + 12) = 234, at 2 credits and at 3. The plans cover 6
// of account 1 and 10 of each other, 116; then 9 and 10, 119. The rest is overage.
const (
	oldGeneration = "468.000000,468.000000,468.000000,468.000000,176.0000,176.0000\n"
	newGeneration = "702.000000,702.000000,702.000000,702.000000,291.5000,291.5000\n"
)

// A re-rate is killed (SIGKILL) at any moment, time and again: whoever reads meanwhile
// or then sees the old month or the new one, and the one that is let finish
// leaves what an undisturbed one does.
func TestAKilledRerateFinishesWhenRunAgain(t *testing.T) {
	t.Parallel()
	calm := dearer(t, nil, "calm")
	if got := calm.query(oneGeneration); got != oldGeneration {
		t.Fatalf("before: %s, want %s", got, oldGeneration)
	}
	began := time.Now()
	calm.must("rerate", rerateArgs...)
	usual := time.Since(began)
	if got := calm.query(notesQuery); got != dearerNotes() {
		t.Fatalf("notes\n%s\nwant\n%s", got, dearerNotes())
	}
	if got := calm.query(oneGeneration); got != newGeneration {
		t.Fatalf("after: %s, want %s", got, newGeneration)
	}
	d := dearer(t, nil, "killed")
	args := append([]string{"rerate", "--config", filepath.Join(d.dir, defaultConfig)}, rerateArgs...)
	saw := map[string]int{}
	stop := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				s := d.try("query", "--format", "csv", oneGeneration)
				_, row, _ := strings.Cut(s.out, "\n")
				saw[row+s.err]++
			}
		}
	})
	kills := 0
	for range killsPerStep {
		kills += runAndKill(t, args, usual/3+time.Duration(rand.Int64N(int64(usual))))
	}
	d.must("rerate", rerateArgs...)
	close(stop)
	reading.Wait()
	t.Logf("%d kills; seen %v", kills, saw)
	if kills == 0 {
		t.Error("no re-rate was killed while it ran")
	}
	for got := range saw {
		if got != oldGeneration && got != newGeneration {
			t.Errorf("a reader sees %s", got)
		}
	}
	compareTables(t, d.dir, calm.dir)
	if out := d.must("rerate", rerateArgs...); d.runKinds()["rerate"] != 1 {
		t.Errorf("another re-rate says\n%s", out)
	}
	readEveryTable(t, filepath.Join(d.dir, defaultConfig))
}

// Rounds of two re-rates at once.
const (
	rerateRoundsOnAFolder = 2
	rerateRoundsOnS3      = 2
)

// Two processes re-rate at once: one commits, the other finds that nothing changes any
// more or says that it lost, and there is one sequence of notes.
func TestTwoReratesAtOnce(t *testing.T) {
	for _, place := range []struct {
		name   string
		rounds int
		start  func(testing.TB) *storetest.S3Server
	}{
		{"folder", rerateRoundsOnAFolder, func(testing.TB) *storetest.S3Server { return nil }},
		{"S3", rerateRoundsOnS3, storetest.StartS3},
	} {
		t.Run(place.name, func(t *testing.T) {
			t.Parallel()
			server := place.start(t)
			for round := range place.rounds {
				d := dearer(t, server, fmt.Sprintf("rerates-%d", round))
				ended := make(chan said, 2)
				for i := range 2 {
					go func() {
						time.Sleep(time.Duration(i*round) * 100 * time.Millisecond)
						ended <- d.try("rerate", rerateArgs...)
					}()
				}
				for range 2 {
					if s := <-ended; s.code != exitDone && s.code != exitLost {
						t.Errorf("round %d: a re-rate ends with %d\n%s%s", round, s.code, s.out, s.err)
					}
				}
				if kinds := d.runKinds(); kinds["rerate"] != 1 {
					t.Errorf("round %d: runs by kind %v, want one re-rate", round, kinds)
				}
				if got := d.query(notesQuery); got != dearerNotes() {
					t.Errorf("round %d: notes\n%s\nwant\n%s", round, got, dearerNotes())
				}
				if got := d.query(oneGeneration); got != newGeneration {
					t.Errorf("round %d: %s, want %s", round, got, newGeneration)
				}
			}
		})
	}
}
