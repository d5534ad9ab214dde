package storetest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// The environment of fault tests. Where CREDITMILL_FAULTS names a file, they run in
// full and each writes a line there: `make faults` does that. CREDITMILL_FAULTS_SEED
// makes them draw again what an earlier run has drawn.
const (
	faultsFile = "CREDITMILL_FAULTS"
	faultsSeed = "CREDITMILL_FAULTS_SEED"
)

// Full says that fault tests are to try every case, not a part drawn by [Seed].
func Full() bool { return os.Getenv(faultsFile) != "" }

// Seed draws what a test draws its cases by, and logs it.
func Seed(t testing.TB) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv(faultsSeed); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("%s: %v", faultsSeed, err)
		}
	}
	t.Logf("drawn by %s=%d", faultsSeed, seed)
	return seed
}

// Cases counts the cases of a fault test, in each of which a fault was injected, the
// same work done again, and the lake compared with one that nobody disturbed.
// A case that finds anything lost or doubled fails the test. When the test ends, the
// count is logged and, in full, written down for `make faults`. A test without a
// single case fails: its fault is not injected any more.
func Cases(t testing.TB, fault string) *atomic.Int64 {
	t.Helper()
	cases, began := new(atomic.Int64), time.Now() //nolint:forbidigo // a test helper: how long the test took
	t.Cleanup(func() {
		if cases.Load() == 0 && !t.Failed() {
			t.Errorf("%s: no case was tried", fault)
		}
		outcome := "nothing lost or doubled"
		if t.Failed() {
			outcome = "FAILED"
		}
		t.Logf("%s: %d cases: %s", fault, cases.Load(), outcome)
		if err := note(fmt.Sprintf("%s\t%d\t%.0f s\t%s\n", fault, cases.Load(), time.Since(began).Seconds(), outcome)); err != nil { //nolint:forbidigo // as above
			t.Errorf("%s: %v", faultsFile, err)
		}
	})
	return cases
}

// note adds a line, in one write, to the file of a run in full.
func note(line string) (err error) {
	if !Full() {
		return nil
	}
	file, err := os.OpenFile(os.Getenv(faultsFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = file.WriteString(line)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return err
}
