package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
)

// An app is one call of the program: its streams, its clock and the flags that
// every command takes.
type app struct {
	name           string    // as the user called the program
	stdin          io.Reader // nil: empty
	stdout, stderr io.Writer
	clock          func() time.Time
	terminal       bool // stderr is one: progress is shown

	config string
	now    string
	json   bool

	started bool         // the command's arguments were right
	commits bool         // the command is one that commits runs
	mills   []*jobs.Mill // opened, to be released when the command has ended
}

const defaultConfig = "creditmill.yaml"

// run runs one command line and returns the exit code.
func (a *app) run(ctx context.Context, args []string) int {
	if a.stdin == nil {
		a.stdin = strings.NewReader("")
	}
	root := a.root()
	root.SetArgs(commentsFirst(args, valueFlags(root, "query")))
	err := root.ExecuteContext(ctx)
	for _, m := range a.mills {
		if left := m.Release(); left != nil {
			err = errors.Join(err, left)
		}
	}
	if err != nil && !a.started {
		err = usageError{err}
	}
	return a.report(err)
}

// valueFlags tells the flags of a command that take a value as the next argument.
func valueFlags(root *cobra.Command, name string) func(arg string) bool {
	cmd, _, err := root.Find([]string{name})
	return func(arg string) bool {
		flag, ok := strings.CutPrefix(arg, "--")
		if !ok || err != nil {
			return false
		}
		f := cmd.Flag(flag)
		return f != nil && f.NoOptDefVal == ""
	}
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "creditmill",
		Short: "Rate API calls, burn credits down, and bill",
		Long: "creditmill reads API call logs from object storage, rates them against versioned price tables,\n" +
			"burns the credits down from each account's buckets, and issues the invoices of each month.\n\n" +
			"Start with `creditmill demo vision` to see a whole month, or `creditmill init DIR` for your own.\n\n" +
			"Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 held (a close was refused), 4 lost to another run.",
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			a.started = true
			a.commits = cmd.GroupID == groupRun || cmd.Name() == "demo"
			if limit := cmd.Flags().Lookup("limit"); limit != nil {
				if n, _ := strconv.Atoi(limit.Value.String()); n < 1 { // pflag let it through
					return usagef("--limit %d: at least 1", n)
				}
			}
			_, err := a.instant()
			return err
		},
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	flags := root.PersistentFlags()
	flags.StringVar(&a.config, "config", defaultConfig, "the configuration `FILE`")
	flags.StringVar(&a.now, "now", "", "use this `INSTANT` as the clock, such as 2026-11-01T07:00:00Z (default: the machine's)")
	flags.BoolVar(&a.json, "json", false, "print one JSON document")
	root.AddGroup(
		&cobra.Group{ID: groupStart, Title: "Start:"},
		&cobra.Group{ID: groupRun, Title: "Run:"},
		&cobra.Group{ID: groupLook, Title: "Look:"},
	)
	group := func(id string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = id
			root.AddCommand(c)
		}
	}
	group(groupStart, a.initCommand(), a.demoCommand(), a.checkCommand(), a.doctorCommand(), a.tryCommand())
	group(groupRun, a.ingestCommand(), a.rateCommand(), a.applyCommand(), a.closeCommand(), a.rerateCommand(), a.voidCommand(), a.publishCommand(), a.compactCommand(), a.gcCommand(), a.forgetCommand(), a.scheduleCommand())
	group(groupLook, a.statusCommand(), a.runsCommand(), a.heldCommand(), a.rejectsCommand(), a.balanceCommand(),
		a.invoiceCommand(), a.explainCommand(), a.verifyCommand(), a.pricesCommand(), a.queryCommand(), a.tablesCommand(), a.filesCommand(), a.exportCommand(), a.reportCommand())
	root.AddCommand(a.versionCommand())
	return root
}

// The groups of commands in the help.
const (
	groupStart = "start"
	groupRun   = "run"
	groupLook  = "look"
)

// instant is the clock of this call: --now, or the machine's.
func (a *app) instant() (time.Time, error) {
	if a.now == "" {
		return a.clock(), nil
	}
	t, err := period.ParseInstant(a.now)
	if err != nil {
		return time.Time{}, usageError{fmt.Errorf("--now: %w", err)}
	}
	return t, nil
}

// open reads the configuration and opens its lake. done ends the progress display.
func (a *app) open(ctx context.Context) (m *jobs.Mill, done func(), err error) {
	setup, err := jobs.LoadSetup(a.config)
	if err != nil {
		return nil, nil, err
	}
	now, err := a.instant()
	if err != nil {
		return nil, nil, err
	}
	progress, done := a.progress()
	clock := func() time.Time { return now }
	m, err = jobs.Open(ctx, setup, jobs.Options{Now: clock, MachineClock: a.now == "", Log: a.log(slog.LevelWarn), Tool: version, Progress: progress})
	if err != nil {
		done()
		return nil, nil, err
	}
	a.mills = append(a.mills, m)
	return m, done, nil
}

func (a *app) log(level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: level}))
}

// read opens the lake for a command that only looks; statements are as in
// [jobs.Mill.Read].
func (a *app) read(ctx context.Context, look func(*jobs.Mill, *jobs.Reader) error, statements ...string) error {
	m, done, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	return reading(ctx, m, func(r *jobs.Reader) error { return look(m, r) }, statements...)
}

// reading opens a session over the live tables for as long as look takes.
func reading(ctx context.Context, m *jobs.Mill, look func(*jobs.Reader) error, statements ...string) error {
	r, err := m.Read(ctx, statements...)
	if err != nil {
		return err
	}
	return errors.Join(look(r), r.Close())
}

// printf writes to standard output.
func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.stdout, format, args...) }

// warnf writes a warning: something to look at that stops nothing.
func (a *app) warnf(format string, args ...any) {
	fmt.Fprintf(a.stderr, "creditmill: warning: "+format+"\n", args...)
}
