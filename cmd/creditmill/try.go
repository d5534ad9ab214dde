package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/ingest"
	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/jobs"
)

func (a *app) tryCommand() *cobra.Command {
	var key string
	limit := 20
	cmd := &cobra.Command{
		Use:   "try SOURCE FILE",
		Short: "Show how the first records of a file would be read",
		Long: "Show how the first records of a log file would be mapped by a source, and what would be rejected and why.\n" +
			"Nothing is written. What depends on the clock or on other records (future, too_old, duplicate, conflict)\n" +
			"is not looked at.",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.try(cmd.Context(), args[0], args[1], key, limit)
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "read it as the object of this `KEY` (default: its path under the source's raw folder)")
	cmd.Flags().IntVar(&limit, "limit", limit, "show the first `N` records")
	return cmd
}

func (a *app) try(ctx context.Context, name, path, key string, limit int) (err error) {
	setup, err := jobs.LoadSetup(a.config)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(setup.Sources, func(s *source.Source) bool { return s.Name == name })
	if i < 0 {
		var names []string
		for _, s := range setup.Sources {
			names = append(names, s.Name)
		}
		return usagef("there is no source %s; the sources are %s", printable(name), strings.Join(names, ", "))
	}
	s := setup.Sources[i]
	file, err := os.Open(path)
	if err != nil {
		return usageError{err}
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if key == "" {
		key = keyOf(setup, s, path)
	}
	records, err := ingest.Try(ctx, s, key, file, limit)
	if a.json {
		if printErr := a.print(map[string]any{"source": name, "key": key, "records": tryDocuments(records)}); err == nil {
			err = printErr
		}
	} else {
		a.tried(records, !s.Matches(key), key, s)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// keyOf is the key that a file has as an object: its path under the source's raw
// folder, or its name where it lies elsewhere.
func keyOf(setup *jobs.Setup, s *source.Source, path string) string {
	raw := setup.Config.Raw.Path
	if s.Raw != "" {
		if raw = s.Raw; !filepath.IsAbs(raw) {
			raw = filepath.Join(setup.Config.Folder, raw)
		}
	}
	outer, err1 := filepath.Abs(raw)
	inner, err2 := filepath.Abs(path)
	if err1 == nil && err2 == nil {
		if relative, err := filepath.Rel(outer, inner); err == nil && filepath.IsLocal(relative) {
			return filepath.ToSlash(relative)
		}
	}
	return filepath.Base(path)
}

// The words for what a record becomes.
func tryKind(k ingest.TryKind) string {
	switch k {
	case ingest.TryEvent:
		return "call"
	case ingest.TryAccountEvent:
		return "account event"
	case ingest.TryReject:
		return "rejected"
	default:
		return "skipped"
	}
}

type tryDocument struct {
	Line   int64             `json:"line"`
	Offset int64             `json:"byte_offset"`
	Kind   string            `json:"kind"`
	Reason *string           `json:"reason"`
	Detail *string           `json:"detail"`
	Raw    *string           `json:"raw"`
	Fields map[string]string `json:"fields"` // those that are not NULL
}

func tryDocuments(records []ingest.TryRecord) []tryDocument {
	list := make([]tryDocument, 0, len(records))
	for _, r := range records {
		d := tryDocument{r.Line, r.Offset, strings.ReplaceAll(tryKind(r.Kind), " ", "_"), optional(r.Reason), optional(r.Detail), optional(r.Raw), map[string]string{}}
		for _, f := range r.Fields {
			if !f.Null {
				d.Fields[f.Name] = f.Value
			}
		}
		list = append(list, d)
	}
	return list
}

func (a *app) tried(records []ingest.TryRecord, elsewhere bool, key string, s *source.Source) {
	kinds := map[string]int64{}
	for _, r := range records {
		kind := tryKind(r.Kind)
		kinds[kind]++
		a.printf("line %d: %s", r.Line, kind)
		switch r.Kind {
		case ingest.TryReject:
			a.printf(", %s: %s\n    %s\n", r.Reason, printable(r.Detail), printable(short(r.Raw, maxExample)))
		case ingest.TrySkipped:
			a.printf(", `where` does not match\n    %s\n", printable(short(r.Raw, maxExample)))
		default:
			a.printf("\n")
			for _, f := range r.Fields {
				if !f.Null && f.Name != "object" && f.Name != "line" {
					a.printf("    %-16s %s\n", f.Name, printable(f.Value))
				}
			}
		}
	}
	if len(records) == 0 {
		a.printf("The file holds no record.\n")
		return
	}
	var parts []string
	for _, kind := range []string{"call", "account event", "rejected", "skipped"} {
		if n := kinds[kind]; n > 0 {
			text := count(n, kind)
			if kind == "rejected" || kind == "skipped" {
				text = strconv.FormatInt(n, 10) + " " + kind
			}
			parts = append(parts, text)
		}
	}
	a.printf("%s: %s\n", count(int64(len(records)), "record"), strings.Join(parts, ", "))
	if elsewhere {
		a.printf("As an object %s it would not be read: the path of source %s is %s.\n", printable(key), s.Name, s.Path())
	}
}
