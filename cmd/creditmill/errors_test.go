package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creditmill/creditmill/jobs"
)

func TestExitCodes(t *testing.T) {
	for _, test := range []struct {
		err  error
		code int
		says string
	}{
		{nil, 0, ""},
		{errors.New("the disk is full"), 1, "creditmill: error: the disk is full\n"},
		{usagef("no"), 2, "creditmill: error: no\n"},
		{jobs.ConfigError{Err: errors.Join(errors.New("one"), errors.New("two"))}, 2, "creditmill: error: one\ncreditmill: error: two\n"},
		{heldError{errors.New("2026-10 was not closed")}, 3, "creditmill: error: 2026-10 was not closed\n"},
		{fmt.Errorf("rate: %w", jobs.ErrLost), 4, "creditmill: hint: nothing was changed: run the same command again\n"},
		{fmt.Errorf("view objects: %w", context.Canceled), 1, "creditmill: error: interrupted\ncreditmill: hint: what was not committed"},
		{fmt.Errorf("rate: %w", syscall.ENOSPC), 1, "creditmill: hint: make room there and run the same command again: nothing was changed\n"},
		{
			fmt.Errorf("forget: %w", jobs.UnsaidError{Err: fmt.Errorf("rated: %w", syscall.ENOSPC)}), 1,
			"creditmill: hint: make room there and run the same command again: until then the published copy has no _as_of.json\n",
		},
		{withHint(errors.New("no account \x1b[31m"), "look"), 1, "creditmill: error: no account \\x1b[31m\ncreditmill: hint: look\n"},
	} {
		var stderr bytes.Buffer
		a := &app{stderr: &stderr, commits: true}
		if code := a.report(test.err); code != test.code || !strings.Contains(stderr.String(), test.says) {
			t.Errorf("%v: code %d, want %d\n%s", test.err, code, test.code, stderr.String())
		}
	}
}

// What was not committed is spoken of by commands that commit something.
func TestHintOfAnInterrupt(t *testing.T) {
	for line, hinted := range map[string]bool{
		"rate": true, "close": true, "forget --account a --reason b": true, "demo vision": true,
		"query x": false, "report --period 2026-10": false, "export rated": false, "files rated": false, "tables": false, "status": false, "runs show 1": false, "prices diff a b": false, "doctor": false, "version": false,
	} {
		var stderr bytes.Buffer
		a := &app{stderr: &stderr, clock: time.Now}
		cmd, _, err := a.root().Find(strings.Fields(line))
		if err != nil {
			t.Fatal(err)
		}
		if err := a.root().PersistentPreRunE(cmd, nil); err != nil {
			t.Fatal(err)
		}
		if code := a.report(context.Canceled); code != exitFailed || strings.Contains(stderr.String(), "hint") != hinted {
			t.Errorf("%s: code %d\n%s", line, code, stderr.String())
		}
	}
}

func TestPrintableEscapesWhatSteersATerminal(t *testing.T) {
	for in, want := range map[string]string{
		"plain text, ünïcode 漢字": "plain text, ünïcode 漢字",
		"\x1b[31mred":            `\x1b[31mred`,
		"a\tb\nc\r":              `a\tb\nc\r`,
		"right\u202eleft":        `right\u202eleft`,
		"c1 \u009b":              `c1 \u009b`,
		"broken \xff":            `broken \xff`,
		"\ufffd":                 "\ufffd",
		"zero\u200bwidth":        `zero\u200bwidth`,
	} {
		if got := printable(in); got != want {
			t.Errorf("printable(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestGrouped(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "999": "999", "1000": "1,000", "-1234567.8900": "-1,234,567.8900", "-100": "-100", "0.0001": "0.0001",
		"99999999999999999999999999999999.123456": "99,999,999,999,999,999,999,999,999,999,999.123456",
	} {
		if got := grouped(in); got != want {
			t.Errorf("grouped(%q) = %q, want %q", in, got, want)
		}
	}
}
