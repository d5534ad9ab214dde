package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/ingest"
	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

// The example that init writes. Braces of its YAML stand as they are; what depends
// on the day is a template's.
//
//go:embed template
var example embed.FS

func (a *app) initCommand() *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use:   "init DIR",
		Short: "Write a commented, working example configuration",
		Long: "Write a configuration with a source, prices, plans and a few sample lines, so that ingest, rate, apply and\n" +
			"close work at once. With --from, the source is drafted from your own log file. Nothing is overwritten.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			now, err := a.instant()
			if err != nil {
				return err
			}
			calendar, err := period.NewCalendar("UTC")
			if err != nil {
				return err
			}
			// The month before: its sample lines lie in the past, and it can be closed at once.
			e := newExample(calendar.Of(now).Add(-1))
			if from != "" {
				if err := e.draft(cmd.Context(), calendar, from); err != nil {
					return err
				}
			}
			if err := e.write(args[0]); err != nil {
				return err
			}
			return a.initialised(args[0], e)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "draft the source from this log `FILE`")
	return cmd
}

// An exampleSite is the files that init is about to write.
type exampleSite struct {
	Period period.Period
	Draft  string // the name of the drafted source; empty: the example's own
	from   string
	key    string // where the drafted source looks for the log, under raw
	files  map[string][]byte
	names  []string // in the order of writing
}

func newExample(p period.Period) *exampleSite {
	return &exampleSite{Period: p, files: map[string][]byte{}}
}

var notInNames = regexp.MustCompile(`[^a-z0-9_]+`)

// draft drafts the source from the user's own log.
func (e *exampleSite) draft(ctx context.Context, calendar period.Calendar, from string) (err error) {
	log, err := os.Open(from)
	if err != nil {
		return usageError{err}
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	base := filepath.Base(from)
	stem, _, _ := strings.Cut(strings.ToLower(base), ".")
	e.Draft = strings.Trim(notInNames.ReplaceAllString(stem, "_"), "_")
	if e.Draft == "" || e.Draft[0] >= '0' && e.Draft[0] <= '9' || e.Draft == "accounts" {
		e.Draft = "log_" + e.Draft
	}
	e.from, e.key = from, e.Draft+"/"+base
	text, err := ingest.Draft(e.Draft, e.key, log)
	if err != nil {
		return withHint(fmt.Errorf("draft a source from %s: %w", from, err), "a log is JSON lines or CSV, plain or packed as .gz or .zst, or Parquet (*.parquet); `creditmill init DIR` without --from writes an example")
	}
	e.add("sources/"+e.Draft+".yaml", []byte(text))
	return e.begin(ctx, calendar, text)
}

// begin moves the first period back to the log's first calls, which would be too
// old for it otherwise.
func (e *exampleSite) begin(ctx context.Context, calendar period.Calendar, text string) (err error) {
	var p yamlfile.Problems
	drafted := source.Parse([]source.File{{Name: e.Draft + ".yaml", Text: []byte(text)}}, &p)
	if err := p.Err(); err != nil || len(drafted) != 1 {
		return fmt.Errorf("the drafted source: %w", err)
	}
	log, err := os.Open(e.from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	records, err := ingest.Try(ctx, drafted[0], e.key, log, sampled)
	if err != nil {
		return fmt.Errorf("read %s with the drafted source: %w", e.from, err)
	}
	for _, record := range records {
		for _, field := range record.Fields {
			if field.Name != "time" || field.Null {
				continue
			}
			if t, err := period.ParseInstant(field.Value); err == nil && calendar.Of(t).Before(e.Period) {
				e.Period = calendar.Of(t)
			}
		}
	}
	return nil
}

// sampled is how many of a log's first records say when it begins.
const sampled = 500

func (e *exampleSite) add(name string, content []byte) {
	e.names = append(e.names, name)
	e.files[name] = content
}

// write writes the example, or nothing where one of its files exists.
func (e *exampleSite) write(dir string) error {
	err := fs.WalkDir(example, "template", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name := strings.TrimPrefix(path, "template/")
		if e.Draft != "" && (strings.HasPrefix(name, "raw/") || name == "sources/gateway.yaml") {
			return nil
		}
		if name == "gitignore" {
			name = ".gitignore"
		}
		text, err := example.ReadFile(path)
		if err != nil {
			return err
		}
		// The numbers of invoices have braces of their own.
		t, err := template.New(name).Option("missingkey=error").Parse(string(text))
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := t.Execute(&out, e); err != nil {
			return err
		}
		e.add(name, out.Bytes())
		return nil
	})
	if err != nil {
		return fmt.Errorf("the example: %w", err)
	}
	var there []string
	for _, name := range e.names {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			there = append(there, filepath.Join(dir, name))
		}
	}
	if len(there) > 0 {
		return withHint(usagef("%s exists: nothing was written", strings.Join(there, ", ")), "name another folder, or move these files away")
	}
	for _, name := range e.names {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := writeNew(path, e.files[name]); err != nil {
			return err
		}
	}
	if e.Draft != "" {
		return errors.Join(os.MkdirAll(filepath.Join(dir, "raw", e.Draft), 0o755), os.MkdirAll(filepath.Join(dir, "raw", "accounts"), 0o755))
	}
	return nil
}

// writeNew writes a file that must not exist.
func writeNew(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}

func (a *app) initialised(dir string, e *exampleSite) error {
	config := filepath.Join(dir, defaultConfig)
	var steps [][2]string
	if e.Draft != "" {
		steps = [][2]string{
			{"edit " + filepath.Join(dir, "sources", e.Draft+".yaml"), "what was guessed is marked"},
			{a.name + " try --config " + config + " " + e.Draft + " " + e.from, "see how your lines are read"},
			{"cp " + e.from + " " + filepath.Join(dir, "raw", filepath.FromSlash(e.key)), "put the log where the source looks for it"},
		}
	}
	steps = append(steps, [2]string{"cd " + dir, ""}, [2]string{"creditmill check", "is the configuration right?"},
		[2]string{"creditmill ingest", "read what lies in raw/"}, [2]string{"creditmill rate", "price each call in credits"},
		[2]string{"creditmill apply", "burn the credits down, for a look"})
	if e.Draft == "" {
		steps = append(steps, [2]string{"creditmill balance acme", "see an account"},
			[2]string{"creditmill close", "close " + e.Period.String() + " and issue its invoices"})
	} else {
		steps = append(steps, [2]string{"creditmill status", "see what is fresh, held and in the way"})
	}
	if a.json {
		next := []string{}
		for _, step := range steps {
			next = append(next, step[0])
		}
		return a.print(map[string]any{"folder": dir, "files": e.names, "first_period": e.Period.String(), "next": next})
	}
	a.printf("Wrote a configuration into %s:\n", dir)
	for _, name := range e.names {
		a.printf("  %s\n", name)
	}
	a.printf("\nNext\n")
	width := 0
	for _, step := range steps {
		if len(step[0]) <= widestStep {
			width = max(width, len(step[0]))
		}
	}
	for _, step := range steps {
		a.printf("%s\n", strings.TrimRight(fmt.Sprintf("  %-*s   %s", width, step[0], prefixed(step[1])), " "))
	}
	return nil
}

// widestStep is the longest command that comments are set right of.
const widestStep = 60

func prefixed(comment string) string {
	if comment == "" {
		return ""
	}
	return "# " + comment
}
