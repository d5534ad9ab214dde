package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/lake/storetest"
)

// Rounds of two closes at once. Each begins the second at another moment of the first.
const (
	roundsOnAFolder = 12
	roundsOnS3      = 5
)

// Two processes close the same month at once: there is one cut, one close and one
// set of invoices with one sequence of numbers, and the rows are those of a close
// that nobody disturbed. Who loses says that the month is closed (exit 0) or that
// it lost (exit 4).
func TestTwoClosesAtOnce(t *testing.T) {
	calm := newDuel(t, nil, "calm")
	calm.must("close", closeArgs...)
	want := calm.billing()
	for account := range duelAccounts {
		total := duelTotal(account + 1)
		line := fmt.Sprintf("'number': INV-2026-%06d, 'kind': invoice, 'account': duel-%02d, 'currency': USD, 'subtotal': %s, 'tax': 0.0000, 'total': %s,", account+1, account+1, total, total)
		if !strings.Contains(want, line) {
			t.Fatalf("no invoice %q in\n%s", line, want)
		}
	}
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		fight(t, nil, roundsOnAFolder, want)
	})
	t.Run("S3", func(t *testing.T) {
		t.Parallel()
		fight(t, storetest.StartS3(t), roundsOnS3, want)
	})
}

var closeArgs = []string{"--period", "2026-10", "--now", "2026-11-01T07:00:00Z"}

// fight lets two closes run at once, time and again.
func fight(t *testing.T, server *storetest.S3Server, rounds int, want string) {
	t.Helper()
	outcomes := map[string]int{}
	usual := 500 * time.Millisecond // how long a close takes, about
	for round := range rounds {
		d := newDuel(t, server, fmt.Sprintf("round-%d", round))
		if round%2 == 1 { // else both have everything to do
			d.must("ingest", "--now", "2026-10-31T12:00:00Z")
			d.must("rate", "--now", "2026-10-31T12:00:00Z")
			d.must("apply", "--now", "2026-10-31T12:00:00Z")
		}
		began := time.Now()
		ended := make(chan said, 2)
		for _, wait := range []time.Duration{0, time.Duration(rand.Int64N(int64(usual)))} {
			go func() {
				time.Sleep(wait)
				ended <- d.try("close", closeArgs...)
			}()
		}
		closed := 0
		for range 2 {
			s := <-ended
			switch {
			case s.code == exitDone && strings.Contains(s.out, "Closed 2026-10."):
				closed++
				outcomes["closed"]++
			case s.code == exitDone && strings.Contains(s.out, "2026-10 is closed already, by run "):
				outcomes["closed already"]++
			case s.code == exitLost:
				outcomes["lost"]++
			default:
				t.Errorf("round %d: a close ends with %d\n%s%s", round, s.code, s.out, s.err)
			}
		}
		usual = (usual + time.Since(began)) / 2
		if closed != 1 {
			t.Errorf("round %d: %d closes say that they closed", round, closed)
		}
		if kinds := d.runKinds(); kinds["cut"] != 1 || kinds["close"] != 1 {
			t.Errorf("round %d: runs by kind %v, want one cut and one close", round, kinds)
		}
		if got := d.billing(); got != want {
			t.Errorf("round %d: rows\n%s\nwant\n%s", round, got, want)
		}
	}
	t.Logf("outcomes: %v", outcomes)
}

// A month is closed while ingest and rate never stop committing, calls of the next
// month and late ones of this: the close finishes, and its rows are those of a close
// of what had been ingested before its cut.
func TestACloseIsNotDisturbedByIngestAndRate(t *testing.T) {
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		undisturbed(t, nil)
	})
	t.Run("S3", func(t *testing.T) {
		t.Parallel()
		undisturbed(t, storetest.StartS3(t))
	})
}

func undisturbed(t *testing.T, server *storetest.S3Server) {
	t.Helper()
	const now = "2026-11-01T08:00:00Z"
	d := newDuel(t, server, "busy")
	d.must("ingest", "--now", "2026-10-31T12:00:00Z")
	landed := map[string]string{}
	stop := make(chan struct{})
	var busy sync.WaitGroup
	loop := func(work func(n int)) {
		busy.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
					work(n)
				}
			}
		})
	}
	loop(func(n int) {
		when := []string{"2026-11-01T05:59:00Z", "2026-10-30T10:00:00Z"}[n%2] // the next month's, late
		key := fmt.Sprintf("calls/more-%04d.jsonl", n)
		landed[key] = fmt.Sprintf(`{"id":"more-%d","ts":%q,"org":"duel-%02d","op":"image.generate","n":1}`+"\n", n, when, n%duelAccounts+1)
		d.land(key, landed[key])
		d.commits("ingest", now)
	})
	loop(func(int) { d.commits("rate", now) })
	time.Sleep(200 * time.Millisecond)
	s := d.try("close", closeArgs...)
	close(stop)
	busy.Wait()
	if s.code != exitDone || !strings.Contains(s.out, "Closed 2026-10.") {
		t.Fatalf("the close ends with %d\n%s%s\nruns %v", s.code, s.out, s.err, d.runKinds())
	}
	d.must("ingest", "--now", now)
	d.must("rate", "--now", now)

	// The same, of what was there at the cut, in peace.
	before := strings.Fields(d.query("SELECT object FROM objects WHERE run < (SELECT cut_run FROM periods WHERE period = '2026-10')"))
	calm := newDuel(t, nil, "calm")
	inTime := 0
	for key, text := range landed {
		if slices.Contains(before, key) {
			calm.land(key, text)
			inTime++
		}
	}
	t.Logf("%d of %d objects landed before the cut; runs %v", inTime, len(landed), d.runKinds())
	calm.must("close", closeArgs...)
	if got, want := d.billing(), calm.billing(); got != want {
		t.Errorf("rows\n%s\nwant\n%s", got, want)
	}
	for _, late := range []string{"late = (period = '2026-11' AND time < TIMESTAMP '2026-11-01')", "(period = '2026-10') = (event_id IN (SELECT event_id FROM usage WHERE time < TIMESTAMP '2026-11-01') AND NOT late)"} {
		if got := d.query("SELECT count(*) FROM rated WHERE NOT (" + late + ")"); got != "0\n" {
			t.Errorf("%s calls of rated without %s", got, late)
		}
	}
	if got, want := d.query("SELECT count(*) FROM rated"), fmt.Sprintf("%d\n", 3*duelAccounts+len(landed)); got != want {
		t.Errorf("%s calls are rated, want %s", got, want)
	}
}

// killsAfterTheCut is how many closes are tried until one is killed between its cut and
// its closing run: a few milliseconds on a folder.
const killsAfterTheCut = 40

// A close is killed (SIGKILL) as soon as its cut can be seen. Until the next close the
// month is cut and says so; what lands then is late; and the next close, without any
// flag, goes on from the cut.
func TestACloseKilledAfterItsCutIsPickedUp(t *testing.T) {
	t.Parallel()
	for range killsAfterTheCut {
		d := newDuel(t, nil, "killed")
		d.held()
		d.must("ingest", "--now", "2026-10-31T12:00:00Z")
		d.must("rate", "--now", "2026-10-31T12:00:00Z")
		const cutRun = 3
		if !d.killWhenThereIs(cutRun, "close", append(closeArgs, "--leave-held")...) {
			continue
		}
		if kinds := d.runKinds(); kinds["cut"] != 1 || kinds["close"] != 0 {
			continue // it was quicker
		}
		if got := d.query("SELECT period, state, cut_run, close_run FROM periods ORDER BY period"); got != "2026-10,cut,3,\n2026-11,open,,\n" {
			t.Errorf("periods %q", got)
		}
		if s := d.try("apply", "--now", "2026-11-01T07:30:00Z"); s.code != exitFailed || !strings.Contains(s.err, "creditmill close --period 2026-10") {
			t.Errorf("apply ends with %d\n%s", s.code, s.err)
		}
		for _, month := range []string{"2026-10", "2026-11"} {
			d.must("report", "--period", month, "--to", filepath.Join(t.TempDir(), month+".html"), "--now", "2026-11-01T07:30:00Z")
		}
		d.land("calls/late.jsonl", `{"id":"late","ts":"2026-10-30T10:00:00Z","org":"duel-01","op":"image.generate","n":1}`+"\n")
		d.must("ingest", "--now", "2026-11-01T07:30:00Z")
		d.must("rate", "--now", "2026-11-01T07:30:00Z")
		if out := d.must("close", closeArgs...); !strings.Contains(out, "Closed 2026-10.") {
			t.Errorf("the next close says\n%s", out)
		}
		calm := newDuel(t, nil, "calm")
		calm.held()
		calm.must("close", append(closeArgs, "--leave-held")...)
		if got, want := d.billing(), calm.billing(); got != want {
			t.Errorf("rows\n%s\nwant\n%s", got, want)
		}
		if got := d.query("SELECT event_id, period, late FROM rated WHERE late ORDER BY event_id"); got != "held,2026-11,true\nlate,2026-11,true\n" {
			t.Errorf("late calls %q", got)
		}
		if got := d.query("SELECT event_id, posted_at FROM account_events WHERE held IS NOT NULL"); got != "x,2026-11-01T00:00:00Z\n" {
			t.Errorf("held account events %q", got)
		}
		return
	}
	t.Errorf("none of %d closes was killed between its cut and its closing run", killsAfterTheCut)
}

// held lands a call that no rule prices and an account event that makes no sense.
func (d *duel) held() {
	d.land("calls/held.jsonl", `{"id":"held","ts":"2026-10-30T10:00:00Z","org":"duel-01","op":"image.unknown","n":1}`+"\n")
	d.land("accounts/held.jsonl", `{"id":"x","account":"duel-01","at":"2026-10-02T00:00:00Z","type":"pack.purchased","pack":"none"}`+"\n")
}
