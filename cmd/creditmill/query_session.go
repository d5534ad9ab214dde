package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
)

// A session runs statements and dot commands one after the other, all as of one run: what
// a person types on a terminal, or a script. Nothing that is wrong ends a person's session;
// a script ends at its first error.
type session struct {
	*app
	mill   *jobs.Mill
	reader *jobs.Reader // nil while the lake is opened anew

	layout layout
	given  values
	timer  bool
	person bool         // it is typed on a terminal
	run    *lake.Run    // the newest that is read; nil: none
	asked  []duck.Query // that were run
	depth  int          // of .run within .run
}

// errQuit ends a session without an error.
var errQuit = errors.New("quit")

// session opens the lake for a session, which the caller closes.
func (a *app) session(ctx context.Context, f queryFlags) (*session, error) {
	m, done, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	done()
	s := &session{app: a, mill: m, layout: a.layout(f), given: f.given}
	s.layout.more = "`.limit NUMBER` shows more of them, the formats csv and json all"
	if err := s.refresh(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// refresh opens the lake anew, as of its newest run.
func (s *session) refresh(ctx context.Context) error {
	if err := s.close(); err != nil {
		return err
	}
	reader, err := s.mill.Sit(ctx)
	if err != nil {
		return err
	}
	s.reader, s.run = reader, nil
	if head := s.mill.Lake.State().Head; head > 0 {
		s.run, err = s.mill.Lake.Run(ctx, head)
	}
	return err
}

func (s *session) close() error {
	if s.reader == nil {
		return nil
	}
	reader := s.reader
	s.reader = nil
	return reader.Close()
}

// asOf says which run the session reads.
func (s *session) asOf() string {
	if s.run == nil {
		return "The lake has no run yet."
	}
	return fmt.Sprintf("Reading the lake as of run %d (%s, %s).", s.run.Number, s.run.Kind, period.FormatInstant(s.run.Now))
}

// An input is a text of statements and dot commands as it comes in, line by line.
type input struct {
	file string // "": typed
	text string // what has come in of a statement that has not ended, after as many empty lines as stand before it
	line int    // of the line that comes next, counted from 1
}

// take takes the next line, without its end, and runs what is whole.
func (s *session) take(ctx context.Context, in *input, line string) error {
	if in.file != "" {
		in.line++
	} else if in.text == "" {
		in.line = 1
	}
	first := strings.TrimSpace(in.text) == "" // of a statement
	if command, ok := plainWords[strings.TrimRight(strings.TrimSpace(line), "; \t")]; ok && first && s.person {
		line = command
	}
	if first && strings.HasPrefix(strings.TrimLeft(line, " \t"), ".") {
		err := s.dot(ctx, strings.TrimSpace(line))
		if err != nil && !errors.Is(err, errQuit) && in.file != "" && !errors.As(err, new(locatedError)) {
			return locatedError{fmt.Errorf("%s:%d: %w", in.file, in.line, err)}
		}
		return err
	}
	if in.text == "" {
		in.text = strings.Repeat("\n", in.line-1)
	}
	in.text += line + "\n"
	return s.runWhole(ctx, in, false)
}

// plainWords are what those type who know other programs' sessions, alone on a line.
var plainWords = map[string]string{"exit": ".quit", "help": ".help", "quit": ".quit", `\q`: ".quit"}

// runWhole runs the statements of a text that have ended; at the end of the text all.
func (s *session) runWhole(ctx context.Context, in *input, end bool) error {
	statements, open := duck.Split(in.text)
	rest := ""
	if last := len(statements) - 1; open && !end && last >= 0 {
		rest, statements = statements[last].Text, statements[:last]
	}
	in.text = rest
	for _, statement := range statements {
		if err := s.statement(ctx, ask{statement.Text, in.file}); err != nil {
			in.text = ""
			return err
		}
	}
	return nil
}

// statement runs one statement.
func (s *session) statement(ctx context.Context, from ask) error {
	ctx, stop := s.interruptible(ctx)
	defer stop()
	if s.reader == nil {
		if err := s.refresh(ctx); err != nil {
			return err
		}
	}
	if err := s.reader.Need(ctx, from.text); err != nil {
		return from.located(err)
	}
	query, args, err := from.ready(ctx, s.reader.Session(), s.given, ".")
	if err != nil {
		return err
	}
	begin := s.clock()
	shown, err := s.layout.print(ctx, s.reader.Session(), query, args)
	if err != nil {
		return from.located(err)
	}
	s.asked = append(s.asked, query)
	if s.timer {
		fmt.Fprintf(s.layout.notes, "%s, %s s\n", shown.text(s.layout), seconds(s.clock().Sub(begin)))
	} else if s.layout.format == formatTable && !query.Explains {
		fmt.Fprintln(s.layout.out, shown.text(s.layout))
	}
	return nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// interruptible is ctx, which for a person Ctrl-C ends: the statement alone, not the session.
func (s *session) interruptible(ctx context.Context) (context.Context, func()) {
	if !s.person {
		return ctx, func() {}
	}
	return signal.NotifyContext(ctx, os.Interrupt)
}

// A locatedError says already where in a script it is.
type locatedError struct{ err error }

func (e locatedError) Error() string { return e.err.Error() }
func (e locatedError) Unwrap() error { return e.err }

// script runs statements and dot commands up to the first error.
func (s *session) script(ctx context.Context, name string, text string) error {
	in := &input{file: name}
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		if err := s.take(ctx, in, strings.TrimRight(line, "\r\n")); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return s.runWhole(ctx, in, true)
}

// runScript is `query` without a statement where standard input is no terminal.
func (a *app) runScript(ctx context.Context, f queryFlags) (err error) {
	text, err := io.ReadAll(a.stdin)
	if err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	if strings.TrimSpace(string(text)) == "" {
		return usagef("say what to ask: SQL, --file FILE, --question NAME or a script on standard input")
	}
	s, err := a.session(ctx, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	given := maps.Clone(f.given)
	if err := s.script(ctx, standardInput, string(text)); err != nil && !errors.Is(err, errQuit) {
		return scriptError{err}
	}
	return given.unused(s.asked...)
}

// A scriptError is an error in a script, of whatever kind: exit code 1.
type scriptError struct{ err error }

func (e scriptError) Error() string { return e.err.Error() }

// Is is that of the error.
func (e scriptError) Is(target error) bool { return errors.Is(e.err, target) }

// As is that of the error, which is no wrong use of the command line.
func (e scriptError) As(target any) bool {
	_, usage := target.(*usageError)
	return !usage && errors.As(e.err, target)
}

// standardInput is the name of the script that comes from there.
const standardInput = "standard input"

// A lineReader gives the lines that a person types: io.EOF at the end, errInterrupted
// where the person gave up what was typed.
type lineReader interface {
	read(prompt string) (string, error)
	remember(entry string)
}

var errInterrupted = errors.New("interrupted")

const (
	prompt     = "creditmill> "
	promptMore = "       ...> "
)

// talk is a person's session: it ends with the input, or when ctx does.
func (s *session) talk(ctx context.Context, lines lineReader) error {
	fmt.Fprintf(s.stdout, "%s .help lists what there is; a statement ends with ; and Ctrl-D ends the session.\n", s.asOf())
	in := &input{}
	typed := ""
	for ctx.Err() == nil {
		ask := prompt
		if in.text != "" {
			ask = promptMore
		}
		line, err := lines.read(ask)
		switch {
		case errors.Is(err, errInterrupted):
			in.text, typed = "", ""
			continue
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		typed += line + "\n"
		err = s.take(ctx, in, line)
		if in.text == "" {
			for _, entry := range duck.OneLine(typed) {
				lines.remember(entry)
			}
			typed = ""
		}
		if errors.Is(err, errQuit) {
			return nil
		}
		s.complain(err)
	}
	return nil
}

// complain tells a person what was wrong; the session goes on.
func (s *session) complain(err error) {
	switch {
	case err == nil:
	case errors.Is(err, context.Canceled):
		s.error("interrupted")
	default:
		s.error(err.Error())
		if hinted := new(hintedError); errors.As(err, hinted) {
			s.hint(hinted.hint)
		} else if isGone(err) {
			s.hint("a newer run may have taken the place of files that the session reads: .refresh opens the lake anew")
		}
	}
}

// isGone reports whether DuckDB did not find a file that was live when it was opened.
func isGone(err error) bool {
	return strings.Contains(err.Error(), "No such file or directory") || strings.Contains(err.Error(), "No files found")
}

// runSession is `query` without a statement on a terminal.
func (a *app) runSession(ctx context.Context, f queryFlags) (err error) {
	a.terminal = false // no progress between the lines
	s, err := a.session(ctx, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	s.person, s.timer, s.layout.notes = true, true, s.layout.out
	// Ctrl-C ends a statement and no more: what ends the session are the other signals.
	ctx, stop := signal.NotifyContext(context.WithoutCancel(ctx), syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	s.complain(s.warn(ctx))
	return s.talk(ctx, newEditor(ctx, s, f.history))
}
