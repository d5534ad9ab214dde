package ingest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
)

// One object that its store does not answer for is told and keeps no other from being
// taken in; of a store that has gone not every object is tried.
func TestAStoreThatDoesNotAnswerEndsTheReading(t *testing.T) {
	line := `{"id":"c%d","ts":"2026-10-15T10:00:00Z","org":"acme","op":"chat"}` + "\n"
	object := func(n int, name string) raw { return raw{fmt.Sprintf("calls/%03d-%s", n, name), fmt.Sprintf(line, n)} }

	b := newBench(t, calls)
	report := b.run(object(1, "a"), object(2, "silent"), object(3, "a"), object(4, "silent"), object(5, "a"))
	if report.Totals.Events != 3 || !errors.Is(report.Objects[1].Err, lake.ErrUnavailable) || !errors.Is(report.Objects[3].Err, lake.ErrUnavailable) {
		t.Errorf("%d events, %+v", report.Totals.Events, report.Objects)
	}

	b = newBench(t, calls)
	objects := []raw{object(1, "a")}
	for n := range 500 {
		objects = append(objects, object(n+2, "silent"))
	}
	_, err := b.try(objects...)
	if !errors.Is(err, lake.ErrUnavailable) || !strings.Contains(err.Error(), "3 objects in a row could not be read, so nothing was taken in") {
		t.Fatalf("a store that has gone: %v", err)
	}
	if b.opened > 20 { // each of the workers may have one in hand
		t.Errorf("%d of 501 objects were tried", b.opened)
	}
}
