package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/fixtures"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
	"github.com/creditmill/creditmill/jobs"
)

func (a *app) demoCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "demo WORLD",
		Short: "Run a whole month of a made-up company and say what happened",
		Long: "Copy an example world (" + strings.Join(fixtures.Worlds(), ", ") + ") into a folder, read its logs, rate them, burn the\n" +
			"credits down, close its months, and say in plain words what happened. The folder is made anew each time.",
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return fixtures.Worlds(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			world, err := fixtures.Open(args[0])
			if err != nil {
				return usageError{err}
			}
			if dir == "" {
				dir = filepath.Join("demo", args[0])
			}
			return a.demo(cmd.Context(), args[0], world, dir)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "run it in this `FOLDER` (default: demo/WORLD)")
	return cmd
}

// A demoScript is a world's demo.yaml: the steps with their clocks, and what to
// look at next.
type demoScript struct {
	Description string
	Steps       []demoStep
	Look        []string
}

type demoStep struct {
	Command string // ingest, rate, apply or close
	Now     time.Time
	Period  period.Period // of close
}

func readDemoScript(world fs.FS) (demoScript, error) {
	const name = "demo.yaml"
	text, err := fs.ReadFile(world, name)
	if err != nil {
		return demoScript{}, err
	}
	var (
		p      yamlfile.Problems
		script demoScript
	)
	doc := p.Object(yamlfile.Single(yamlfile.Parse(name, text, &p), &p), "the demo")
	script.Description = p.String(doc.Need("description"))
	for _, item := range doc.Need("steps").Items() {
		o := p.Object(item, "a step")
		step := demoStep{Command: p.OneOf(o.Need("command"), "ingest", "rate", "apply", "close"), Now: p.Instant(o.Need("now"))}
		if n := o.Get("period"); !n.IsZero() {
			if step.Period, err = period.Parse(p.String(n)); err != nil {
				p.Add(n, "", "%v", err)
			}
		}
		o.Done()
		script.Steps = append(script.Steps, step)
	}
	script.Look = p.Strings(doc.Need("look"))
	doc.Done()
	return script, p.Err()
}

func (a *app) demo(ctx context.Context, name string, world fs.FS, dir string) error {
	script, err := readDemoScript(world)
	if err != nil {
		return err
	}
	if err := makeDemoFolder(dir, world); err != nil {
		return err
	}
	a.config = filepath.Join(dir, defaultConfig)
	tale := demoTale{app: a, name: name, dir: dir, script: script}
	tale.begin()
	for _, step := range script.Steps {
		if err := a.demoStep(ctx, step, &tale); err != nil {
			return fmt.Errorf("%s at %s: %w", step.Command, period.FormatInstant(step.Now), err)
		}
	}
	return tale.end(ctx)
}

// demoStep runs one step as its command does, in this process.
func (a *app) demoStep(ctx context.Context, step demoStep, tale *demoTale) error {
	a.now = period.FormatInstant(step.Now)
	m, done, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	switch step.Command {
	case "ingest":
		report, err := m.Ingest(ctx)
		done()
		if err == nil {
			tale.ingested(step, report)
		}
		return err
	case "rate":
		report, err := m.Rate(ctx)
		done()
		if err == nil {
			tale.rated(step, report)
		}
		return err
	case "apply":
		report, err := m.Apply(ctx)
		done()
		if err == nil {
			tale.applied(step, report)
		}
		return err
	default:
		report, err := m.Close(ctx, jobs.CloseOptions{Period: step.Period})
		if report.Run != nil {
			a.keepPublished(ctx, m)
		}
		done()
		if err == nil && len(report.Blocks) > 0 {
			a.closed(report, newCloseDocument(m, report))
			err = heldError{fmt.Errorf("%s was not closed: %s in the way", report.Period, areThings(len(report.Blocks)))}
		}
		if err != nil {
			return err
		}
		return tale.closed(ctx, m, step, report)
	}
}

// demoMark is the file by which a demo's folder is known.
const demoMark = ".creditmill-demo"

// demoParts are what a world's configuration consists of; its expected results
// and what only tests read stay behind.
var demoParts = []string{defaultConfig, "README.md", "sources", "prices", "plans", "raw"}

// makeDemoFolder makes dir a fresh copy of the world. A folder that is no demo's
// is never touched.
func makeDemoFolder(dir string, world fs.FS) error {
	_, err := os.Stat(filepath.Join(dir, demoMark))
	if errors.Is(err, fs.ErrNotExist) {
		if entries, readErr := os.ReadDir(dir); !errors.Is(readErr, fs.ErrNotExist) && (readErr != nil || len(entries) > 0) {
			return withHint(usagef("%s exists and is no demo's folder: it was left as it is", dir), "name another folder with --dir")
		}
	} else if err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("make the demo's folder anew: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// The mark comes first: a copy that was cut short is made anew the next time.
	if err := os.WriteFile(filepath.Join(dir, demoMark), []byte("made by creditmill demo, which removes this folder when it runs again\n"), 0o644); err != nil {
		return err
	}
	for _, part := range demoParts {
		if err := copyPart(dir, world, part); err != nil {
			return fmt.Errorf("copy the world: %w", err)
		}
	}
	return nil
}

func copyPart(dir string, world fs.FS, part string) error {
	return fs.WalkDir(world, part, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(dir, filepath.FromSlash(name))
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		content, err := fs.ReadFile(world, name)
		if err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o644)
	})
}
