package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/creditmill/creditmill/jobs"
)

// A dotCommand is a command of a session that is no statement.
type dotCommand struct {
	name, takes, about string
	run                func(s *session, ctx context.Context, argument string) error
}

// dotCommands are the commands of a session in the order of .help.
func dotCommands() []dotCommand {
	return []dotCommand{
		{".tables", "", "list tables and views", (*session).tables},
		{".schema", "[NAME]", "show the columns of a table or view, or of all", (*session).schema},
		{".questions", "", "list the ready questions", (*session).questions},
		{".question", "NAME", "ask a ready question", (*session).question},
		{".period", "[MONTH]", "let $period stand for a month such as 2026-10; without one, for none", (*session).period},
		{".account", "[ACCOUNT]", "let $account stand for an account; without one, for none", (*session).account},
		{".format", "table|csv|json", "print answers so", (*session).format},
		{".limit", "NUMBER", "show this number of rows of a table at most", (*session).limit},
		{".timer", "on|off", "say after each statement how long it took", (*session).time},
		{".run", "FILE", "run the statements and commands in a file, up to the first error", (*session).runFile},
		{".refresh", "", "read the lake as of its newest run", (*session).anew},
		{".help", "", "list these commands", (*session).help},
		{".quit", "", "end the session", func(*session, context.Context, string) error { return errQuit }},
	}
}

// dot runs a dot command.
func (s *session) dot(ctx context.Context, line string) error {
	name, argument, _ := strings.Cut(strings.TrimRight(line, "; \t"), " ")
	argument = unquoted(strings.TrimSpace(argument))
	for _, command := range dotCommands() {
		switch {
		case command.name != name:
		case argument != "" && command.takes == "":
			return usagef("%s takes nothing", name)
		case argument == "" && command.takes != "" && command.takes[0] != '[':
			return usagef("%s takes %s", name, command.takes)
		default:
			return command.run(s, ctx, argument)
		}
	}
	return usagef("there is no %s; .help lists what there is", printable(name))
}

// unquoted is an argument without the quotes around it, as a shell takes it.
func unquoted(argument string) string {
	for _, quote := range []string{"'", `"`} {
		if inner, ok := strings.CutPrefix(argument, quote); ok {
			if inner, ok = strings.CutSuffix(inner, quote); ok && !strings.Contains(inner, quote) {
				return inner
			}
		}
	}
	return argument
}

func (s *session) help(context.Context, string) error {
	g := newGrid("command", "", "what it does")
	for _, command := range dotCommands() {
		g.add(command.name, command.takes, command.about)
	}
	s.printf("%s  A statement ends with a semicolon and may go over several lines. Ctrl-C clears what is typed and stops a\n"+
		"  statement that runs, the tabulator completes names, the arrows bring back what was typed before.\n", g)
	return nil
}

func (s *session) dictionary() []jobs.Described { return jobs.Dictionary(s.mill.Lake.State().Columns) }

func (s *session) tables(context.Context, string) error {
	g := newGrid("table", "kind", "what it is")
	for _, d := range s.dictionary() {
		g.add(d.Name, d.Kind, plainText(d.About))
	}
	s.printf("%s  .schema NAME shows the columns of one.\n", g)
	return nil
}

func (s *session) schema(_ context.Context, name string) error {
	if name != "" {
		for _, d := range s.dictionary() {
			if strings.EqualFold(d.Name, name) {
				return s.printTable(d)
			}
		}
		return usagef("there is no table or view %s; .tables lists them", printable(name))
	}
	for _, d := range s.dictionary() {
		columns := make([]string, len(d.Columns))
		for i, c := range d.Columns {
			columns[i] = c.Name + " " + c.Type
		}
		s.printf("%s\n%s", d.Name, fold(strings.Join(columns, ", "), "  ", lineLength))
	}
	return nil
}

// lineLength is how long lines of running text are.
const lineLength = 110

func (s *session) questions(context.Context, string) error {
	s.printf("%s", questionGrid(readyQuestions(), "."))
	return nil
}

func (s *session) question(ctx context.Context, name string) error {
	text, err := questionText(name)
	if err != nil {
		return err
	}
	return s.statement(ctx, ask{text: text})
}

func (s *session) period(_ context.Context, month string) error {
	p, err := parsePeriod(month)
	if err != nil {
		return usagef("%s is no month: write it as in 2026-10", printable(month))
	}
	s.give(periodParameter, p.String())
	return nil
}

func (s *session) account(ctx context.Context, account string) error {
	s.give(accountParameter, account)
	return s.warn(ctx)
}

// warn tells a person that the lake does not know the account of $account.
func (s *session) warn(ctx context.Context) error {
	if !s.person {
		return nil
	}
	if s.reader == nil {
		if err := s.refresh(ctx); err != nil {
			return err
		}
	}
	ctx, stop := s.interruptible(ctx)
	defer stop()
	return s.warnOfAccount(ctx, s.reader, s.given)
}

// give lets a parameter stand for a value; for none if that is empty.
func (s *session) give(name, value string) {
	if value == "" {
		delete(s.given, name)
		return
	}
	s.given[name] = value
}

func (s *session) format(_ context.Context, format string) error {
	if !slices.Contains(formats, format) {
		return usagef(".format %s: choose table, csv or json", printable(format))
	}
	s.layout.format = format
	return nil
}

func (s *session) limit(_ context.Context, number string) error {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 {
		return usagef(".limit %s: a number of rows, at least 1", printable(number))
	}
	s.layout.limit = n
	return nil
}

func (s *session) time(_ context.Context, on string) error {
	if on != "on" && on != "off" {
		return usagef(".timer %s: choose on or off", printable(on))
	}
	s.timer = on == "on"
	return nil
}

// mostNested is how deep one script may run another.
const mostNested = 16

func (s *session) runFile(ctx context.Context, path string) error {
	if s.depth == mostNested {
		return fmt.Errorf(".run %s: scripts run one another %d deep", printable(path), mostNested)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	s.depth++
	defer func() { s.depth-- }()
	if err := s.script(ctx, path, string(text)); err != nil && !errors.Is(err, errQuit) {
		return locatedError{err}
	}
	return nil
}

func (s *session) anew(ctx context.Context, _ string) error {
	if err := s.refresh(ctx); err != nil {
		return err
	}
	s.printf("%s\n", s.asOf())
	return nil
}
