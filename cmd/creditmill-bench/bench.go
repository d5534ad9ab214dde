package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/creditmill/creditmill/fixtures/load"
)

// bench is one run of the benchmark. dir holds the load, the lake, and what is
// needed in passing under scratch/.
type bench struct {
	settings
	self     string // this program, for its children
	progress io.Writer
}

func (b *bench) scratch() string { return filepath.Join(b.dir, "scratch") }

// say tells who watches; what goes wrong with that is no reason to stop.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.progress, format+"\n", args...)
}

// run makes the load, measures, and checks.
func (b *bench) run(ctx context.Context) (*report, error) {
	summary, err := b.makeLoad(ctx)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(b.scratch(), 0o755); err != nil {
		return nil, err
	}
	if err := b.writeDrafts(); err != nil {
		return nil, err
	}
	r := &report{settings: b.settings, summary: summary, machine: thisMachine()}
	if r.versions, err = b.versions(ctx); err != nil {
		return nil, err
	}
	through, err := b.through()
	if err != nil {
		return nil, err
	}
	for round := range b.repeat {
		if len(through) > 0 {
			if err := os.RemoveAll(filepath.Join(b.dir, "lake")); err != nil {
				return nil, err
			}
		}
		for i, s := range through {
			if round == 0 {
				r.rows = append(r.rows, row{stage: s, calls: s.calls(summary), shown: slices.Contains(b.stages, s.name)})
			}
			checks, err := b.runStage(ctx, s, &r.rows[i], summary)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			if len(s.against) > 0 {
				r.rows[i].against = append(r.rows[i].against, r.lastOf(s.against))
			}
			if round == 0 {
				r.checks = append(r.checks, checks...)
			} else {
				r.checks = append(r.checks, wrong(checks)...)
			}
		}
	}
	if slices.Contains(b.stages, questionsStage) {
		found, checks, err := b.askAll(ctx, summary)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", questionsStage, err)
		}
		r.asked, r.checks = found, append(r.checks, checks...)
	}
	return r, nil
}

// through are the stages to be run: up to the last that is measured, and none where only
// the questions are, and a closed month lies in dir.
func (b *bench) through() ([]stage, error) {
	last, closes := -1, slices.Index(stageNames(), "close")
	for i, name := range stageNames() {
		if slices.Contains(b.stages, name) {
			last = i
		}
	}
	if slices.Contains(b.stages, questionsStage) && last < closes {
		switch _, err := os.Stat(filepath.Join(b.dir, "lake", "data", "statements")); {
		case last >= 0 || errors.Is(err, fs.ErrNotExist):
			last = closes
		case err != nil:
			return nil, err
		}
	}
	return stages()[:last+1], nil
}

// runStage measures bare DuckDB, the stage, and bare DuckDB again: what else
// happens on the machine then hits both sides alike. A stage that is measured against
// others is run alone.
func (b *bench) runStage(ctx context.Context, s stage, r *row, summary load.Summary) ([]check, error) {
	bare := func() error {
		if !r.shown || s.baseline == "" {
			return nil
		}
		files, err := b.files(s.input)
		if err != nil {
			return err
		}
		var answer duckAnswer
		c, err := b.inChild(ctx, s.baseline, duckTask{Files: files, Scratch: b.scratch(), Memory: b.load.Memory}, &answer)
		if err != nil {
			return err
		}
		b.say("%-7s bare DuckDB %6.2f s, %d rows", s.name, c.wall.Seconds(), answer.Rows)
		r.against = append(r.against, c)
		return nil
	}
	if err := bare(); err != nil {
		return nil, err
	}
	args := append(slices.Clone(s.args), "--config", filepath.Join(b.dir, "creditmill.yaml"), "--json")
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "{dir}", b.dir)
	}
	said, c, err := measure(ctx, nil, b.creditmill, args...)
	if err != nil {
		return nil, err
	}
	b.say("%-7s creditmill  %6.2f s", s.name, c.wall.Seconds())
	r.stages = append(r.stages, c)
	if err := bare(); err != nil {
		return nil, err
	}
	if s.checks == nil {
		return checkRerate(said, summary)
	}
	return s.checks(ctx, b, summary)
}

// kept is written beside a load, so that a later run can use it again.
type kept struct {
	Options load.Options
	Summary load.Summary
}

// makeLoad makes the load, or takes the one that lies in dir if it is the one asked for.
func (b *bench) makeLoad(ctx context.Context) (load.Summary, error) {
	path := filepath.Join(b.dir, "load.json")
	text, err := os.ReadFile(path)
	if err == nil {
		var k kept
		if err := json.Unmarshal(text, &k); err != nil {
			return load.Summary{}, fmt.Errorf("%s: %w", path, err)
		}
		if k.Options != b.load {
			return load.Summary{}, fmt.Errorf("%s holds another load (%+v): remove it or choose another -dir", b.dir, k.Options)
		}
		b.say("load    taken from %s", b.dir)
		return k.Summary, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return load.Summary{}, err
	}
	k := kept{Options: b.load}
	c, err := b.inChild(ctx, taskLoad, loadTask{b.dir, b.load}, &k.Summary)
	if err != nil {
		return load.Summary{}, err
	}
	b.say("load    made in %.2f s (%.2f s of CPU): %d lines, %.0f MB packed", c.wall.Seconds(), c.cpu.Seconds(),
		k.Summary.Lines, float64(k.Summary.PackedBytes)/1e6)
	if text, err = json.MarshalIndent(k, "", "  "); err != nil {
		return load.Summary{}, err
	}
	return k.Summary, os.WriteFile(path, append(text, '\n'), 0o644)
}

// versions names what was measured.
func (b *bench) versions(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var duckdb duckAnswer
	if _, err := b.inChild(ctx, taskVersion, duckTask{Scratch: b.scratch()}, &duckdb); err != nil {
		return "", err
	}
	own, _, err := measure(ctx, nil, b.creditmill, "version")
	if err != nil {
		return "", err
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(own)), "\n")
	return first + "; DuckDB " + duckdb.Text, nil
}

func sorted(m map[string]int64) []string { return slices.Sorted(maps.Keys(m)) }
