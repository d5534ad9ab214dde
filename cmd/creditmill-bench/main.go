// Command creditmill-bench measures creditmill against bare DuckDB.
//
// It makes a load of any size (fixtures/load), runs each stage of the pipeline on
// it, and runs, in the same run and just before and just after, what bare DuckDB
// needs for the least that could pass for that stage. Every measured thing is a
// process of its own, so CPU time and peak memory are the operating system's
// figures, and start-up counts for both sides. What the pipeline made of the load
// is checked against the load's own arithmetic: a fast wrong answer fails.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/creditmill/creditmill/fixtures/load"
)

func main() {
	if err := mainError(); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "creditmill-bench: error: %v\n", err)
		os.Exit(1)
	}
}

// mainError runs until done or interrupted.
func mainError() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}

// settings are the flags.
type settings struct {
	load       load.Options
	dir        string
	stages     []string
	creditmill string
	repeat     int
	markdown   bool
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if len(args) == 2 && args[0] == childCommand {
		return child(ctx, args[1], stdin, stdout)
	}
	s, err := parse(args, stderr)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b := &bench{settings: s, self: self, progress: stderr}
	if s.dir == "" {
		if b.dir, err = os.MkdirTemp("", "creditmill-bench-"); err != nil {
			return err
		}
		defer os.RemoveAll(b.dir) //nolint:errcheck // a temporary folder that stays is no reason to fail
	}
	r, err := b.run(ctx)
	if err != nil {
		return err
	}
	r.date = time.Now().UTC()
	if err := r.print(stdout, s.markdown); err != nil {
		return err
	}
	return r.failed()
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	var stages string
	flags := flag.NewFlagSet("creditmill-bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Int64Var(&s.load.Calls, "calls", 10_000_000, "lines in the logs")
	flags.IntVar(&s.load.Accounts, "accounts", 20_000, "accounts the calls are spread over, unevenly")
	flags.Uint64Var(&s.load.Seed, "seed", 1, "which load: the same seed makes the same bytes")
	flags.IntVar(&s.load.Models, "models", 0, "give so many models five rules each: 400 make a price table of 2,000 rules")
	flags.StringVar(&s.load.Memory, "memory", "1GB", "DuckDB's memory limit, for creditmill and for bare DuckDB")
	flags.StringVar(&s.dir, "dir", "", "keep the load and the lake in this folder, and use the load again that lies there (default: a temporary folder)")
	flags.StringVar(&stages, "stages", strings.Join(measured(), ","), "what to measure; a stage's forerunners run all the same, but questions alone are asked of the closed month in -dir")
	flags.StringVar(&s.creditmill, "creditmill", filepath.Join("bin", "creditmill"), "the program to measure")
	flags.IntVar(&s.repeat, "repeat", 1, "run the whole pipeline that often, each time on a fresh lake, and print the means")
	flags.BoolVar(&s.markdown, "markdown", false, "print Markdown, for docs/benchmarks.md")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("%q is no flag; creditmill-bench -h lists them", flags.Arg(0))
	}
	// With fewer lines a day, one broken line is more of its object than a source's max_rejected allows.
	if s.load.Calls < 1000 || s.load.Accounts < 1 || s.load.Seed < 1 || s.repeat < 1 {
		return s, errors.New("-calls is at least 1000; -accounts, -seed and -repeat are at least 1")
	}
	s.stages = strings.Split(stages, ",")
	for _, name := range s.stages {
		if !slices.Contains(measured(), name) {
			return s, fmt.Errorf("-stages: there is no stage %q, only %s", name, strings.Join(measured(), ", "))
		}
	}
	if s.dir != "" {
		dir, err := filepath.Abs(s.dir)
		if err != nil {
			return s, err
		}
		s.dir = dir
	}
	path, err := filepath.Abs(s.creditmill)
	if err != nil {
		return s, err
	}
	if _, err := os.Stat(path); err != nil {
		return s, fmt.Errorf("no program to measure: %w; `make build` makes it, -creditmill says where it is", err)
	}
	s.creditmill = path
	return s, nil
}
