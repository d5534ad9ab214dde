package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/creditmill/creditmill/internal/yamlfile"
	"github.com/creditmill/creditmill/jobs"
)

// The exit codes (SPEC section 12).
const (
	exitDone = iota
	exitFailed
	exitUsage
	exitHeld
	exitLost
)

// A usageError is a command line that cannot be run: exit code 2.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// A heldError is a close that was refused: exit code 3.
type heldError struct{ err error }

func (e heldError) Error() string { return e.err.Error() }
func (e heldError) Unwrap() error { return e.err }

// A hintedError says what to do next.
type hintedError struct {
	err  error
	hint string
}

func (e hintedError) Error() string { return e.err.Error() }
func (e hintedError) Unwrap() error { return e.err }

func withHint(err error, hint string) error { return hintedError{err, hint} }

// report prints what went wrong and returns the exit code.
func (a *app) report(err error) int {
	if err == nil {
		return exitDone
	}
	if errors.Is(err, context.Canceled) {
		a.error("interrupted")
		if a.commits {
			a.hint("what was not committed left nothing behind; the same command finishes the work")
		}
		return exitCode(err)
	}
	for _, e := range parts(err) {
		a.reportOne(e)
	}
	switch {
	case errors.As(err, new(usageError)):
		a.hint("`creditmill help` lists the commands, `creditmill COMMAND --help` their flags")
	case errors.Is(err, jobs.ErrLost):
		a.hint("nothing was changed: run the same command again")
	case isFull(err) && errors.As(err, new(jobs.UnsaidError)):
		a.hint("make room there and run the same command again: until then the published copy has no _as_of.json")
	case isFull(err):
		a.hint("make room there and run the same command again: nothing was changed")
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		a.hint("creditmill must be allowed to do that there: `creditmill doctor` tries each place")
	}
	return exitCode(err)
}

// isFull reports whether a disk or a quota is full; of DuckDB's errors the words tell.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || strings.Contains(err.Error(), "No space left on device")
}

func exitCode(err error) int {
	switch {
	case errors.Is(err, jobs.ErrLost):
		return exitLost
	case errors.As(err, new(heldError)):
		return exitHeld
	case errors.As(err, new(usageError)), errors.As(err, new(jobs.ConfigError)), errors.As(err, new(*yamlfile.Error)):
		return exitUsage
	default:
		return exitFailed
	}
}

func (a *app) reportOne(err error) {
	if list := new(*yamlfile.Error); errors.As(err, list) {
		for _, problem := range (*list).Problems {
			hint := problem.Hint
			problem.Hint = ""
			a.error(problem.String())
			a.hint(hint)
		}
		return
	}
	a.error(err.Error())
	if hinted := new(hintedError); errors.As(err, hinted) {
		a.hint(hinted.hint)
	}
}

func (a *app) error(text string) {
	fmt.Fprintf(a.stderr, "creditmill: error: %s\n", printableLines(text))
}

func (a *app) hint(text string) {
	if text != "" {
		fmt.Fprintf(a.stderr, "creditmill: hint: %s\n", printableLines(text))
	}
}

// parts takes joined errors apart, so that each is reported by itself.
func parts(err error) []error {
	switch e := err.(type) { //nolint:errorlint // the shape of this very error decides, not that of its causes
	case jobs.ConfigError:
		return parts(e.Err)
	case usageError:
		return parts(e.err)
	case interface{ Unwrap() []error }:
		if !strings.Contains(err.Error(), "\n") {
			return []error{err} // one sentence about several causes
		}
		var all []error
		for _, one := range e.Unwrap() {
			all = append(all, parts(one)...)
		}
		return all
	default:
		return []error{err}
	}
}
