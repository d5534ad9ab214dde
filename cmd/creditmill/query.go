package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/jobs"
	"github.com/creditmill/creditmill/sql"
)

// The formats of `query`.
const (
	formatTable = "table"
	formatCSV   = "csv"
	formatJSON  = "json"
)

// queryFlags are those of `query`.
type queryFlags struct {
	file, question  string
	questions, show bool
	history         bool // of a session is kept
	format          string
	limit           int
	given           values
}

func (a *app) queryCommand() *cobra.Command {
	f := queryFlags{format: formatTable}
	var month, account string
	cmd := &cobra.Command{
		Use:   "query [SQL | --file FILE | --question NAME]",
		Short: "Run a SELECT over the live tables, or a session of them",
		Long: "Run exactly one SELECT, or an EXPLAIN of one, over the live tables and views. The partition (day or period)\n" +
			"is a table's last column. Nothing else of the machine can be read, and nothing can be written. In the statement\n" +
			"$period and $account stand for what --period and --account give.\n\n" +
			"Without a statement it is a session on a terminal, and else runs the script on standard input.",
		Example: "  creditmill query \"SELECT account, sum(credits) FROM rated GROUP BY ALL ORDER BY ALL\"\n" +
			"  creditmill query --file top.sql --period 2026-10 --format csv\n" +
			"  creditmill query --questions",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.json {
				f.format = formatJSON
			}
			if !slices.Contains(formats, f.format) {
				return usagef("--format %s: choose table, csv or json", f.format)
			}
			if cmd.Flags().Changed("limit") && f.format != formatTable {
				return usagef("--limit is for tables: csv and json are written whole; write LIMIT %d into the statement", f.limit)
			}
			p, err := parsePeriod(month)
			if err != nil {
				return err
			}
			f.given = values{}
			if !p.IsZero() {
				f.given[periodParameter] = p.String()
			}
			if cmd.Flags().Changed("account") {
				f.given[accountParameter] = account
			}
			if f.questions {
				return a.listQuestions()
			}
			if len(args) == 0 && f.file == "" && f.question == "" && !f.show {
				return a.unasked(cmd.Context(), f)
			}
			s, err := a.asked(args, f)
			if err != nil {
				return err
			}
			if f.show {
				a.printf("%s", s.text)
				return nil
			}
			return a.read(cmd.Context(), func(_ *jobs.Mill, r *jobs.Reader) error {
				if err := a.query(cmd.Context(), r.Session(), s, f); err != nil || f.question == "" {
					return err
				}
				return a.warnOfAccount(cmd.Context(), r, f.given)
			}, s.text)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.file, "file", "", "run the statement in this `FILE`, - for standard input")
	flags.StringVar(&f.question, "question", "", "run the ready question of this `NAME`")
	_ = cmd.RegisterFlagCompletionFunc("question", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { // the flag is there
		return sql.Names("questions"), cobra.ShellCompDirectiveNoFileComp
	})
	flags.BoolVar(&f.questions, "questions", false, "list the ready questions")
	flags.BoolVar(&f.show, "show", false, "print the statement and do not run it")
	flags.StringVar(&month, "period", "", "the `MONTH` that $period stands for, such as 2026-10")
	flags.StringVar(&account, "account", "", "the `ACCOUNT` that $account stands for")
	flags.BoolVar(&f.history, "history", true, "keep what is typed in a session for the next")
	flags.StringVar(&f.format, "format", f.format, "print a table, csv or json")
	flags.IntVar(&f.limit, "limit", tableRows, "of a table, show this `NUMBER` of rows at most")
	return cmd
}

var formats = []string{formatTable, formatCSV, formatJSON}

// unasked is `query` without a statement: a session on a terminal, else a script.
func (a *app) unasked(ctx context.Context, f queryFlags) error {
	switch in, ok := a.stdin.(*os.File); {
	case !ok || !term.IsTerminal(int(in.Fd())):
		return a.runScript(ctx, f)
	case isTerminal(a.stdout):
		return a.runSession(ctx, f)
	default:
		return usagef("say what to ask: SQL, --file FILE or --question NAME; a session needs a terminal for what it prints too")
	}
}

// An ask is a statement and where its text stands.
type ask struct {
	text string
	file string // "": the command line
}

// asked is the one statement that the command line names.
func (a *app) asked(args []string, f queryFlags) (ask, error) {
	var named int
	for _, is := range []bool{len(args) > 0, f.file != "", f.question != ""} {
		if is {
			named++
		}
	}
	switch {
	case named == 0:
		return ask{}, usagef("say what to ask: SQL, --file FILE or --question NAME")
	case named > 1:
		return ask{}, usagef("SQL, --file and --question each name a statement: choose one")
	case f.question != "":
		text, err := questionText(f.question)
		return ask{text: text}, err
	case f.file == "-":
		text, err := io.ReadAll(a.stdin)
		return ask{unmarked(text), standardInput}, err
	case f.file != "":
		text, err := os.ReadFile(f.file)
		return ask{unmarked(text), f.file}, err
	default:
		return ask{text: args[0]}, nil
	}
}

// unmarked is a text of a file without the byte order mark that some editors put first.
func unmarked(text []byte) string { return strings.TrimPrefix(string(text), "\ufeff") }

// located puts the place where an error stands in its file before it, or that of the
// statement where the error does not tell.
func (from ask) located(err error) error {
	if err == nil || from.file == "" {
		return err
	}
	line, column := duck.Place(err, from.text)
	if line == 0 {
		line, column = duck.Begin(from.text)
	}
	switch {
	case column > 0:
		return fmt.Errorf("%s:%d:%d: %w", from.file, line, column, err)
	case line > 0:
		return fmt.Errorf("%s:%d: %w", from.file, line, err)
	}
	return fmt.Errorf("%s: %w", from.file, err)
}

// ready looks at a statement, which must be one that may be run, and returns it with its
// arguments.
func (from ask) ready(ctx context.Context, s *duck.Session, given values, dash string) (query duck.Query, args []any, err error) {
	query, err = s.ReadOnly(ctx, from.text)
	if err == nil {
		args, err = given.bind(query, dash)
	}
	if errors.Is(err, duck.ErrNotReadOnly) && duck.Writes(from.text) {
		return query, nil, withHint(from.located(err), "to take tables elsewhere, use --format csv or json, or read the Parquet that `creditmill files TABLE` lists")
	}
	return query, args, from.located(err)
}

func (a *app) query(ctx context.Context, s *duck.Session, from ask, f queryFlags) error {
	from.text = duck.Single(from.text)
	query, args, err := from.ready(ctx, s, f.given, "--")
	if err != nil {
		return err
	}
	if err := f.given.unused(query); err != nil {
		return err
	}
	l := a.layout(f)
	done, err := l.print(ctx, s, query, args)
	if err == nil && l.format == formatTable && !query.Explains {
		_, err = fmt.Fprintln(l.out, done.text(l))
	}
	return from.located(err)
}

// warnOfAccount warns where $account stands for an account that the lake does not know:
// then every answer is empty.
func (a *app) warnOfAccount(ctx context.Context, r *jobs.Reader, given values) error {
	name, ok := given[accountParameter]
	if !ok {
		return nil
	}
	err := r.CheckAccount(ctx, name)
	if errors.As(err, new(jobs.ConfigError)) {
		a.warnf("%s", printable(err.Error()))
		return nil
	}
	return err
}

// commentsFirst are the arguments of a command line, in which a statement of `query` that
// begins with a comment is no flag. What follows a flag that takes a value is that.
func commentsFirst(args []string, takesValue func(flag string) bool) []string {
	args = slices.Clone(args)
	for i, arg := range args {
		if i > 0 && takesValue(args[i-1]) {
			continue
		}
		if slices.Contains(args[:i], "query") && len(arg) > 2 && strings.HasPrefix(arg, "--") && strings.ContainsRune(" \t\n-", rune(arg[2])) {
			args[i] = " " + arg
		}
	}
	return args
}
