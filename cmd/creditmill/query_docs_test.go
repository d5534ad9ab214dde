package main

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// compareQueryPage checks that what docs/query.md shows is what the program prints of the
// world imagegen.
func compareQueryPage(t *testing.T, config string) {
	t.Helper()
	shown := 0
	for _, block := range regexp.MustCompile("(?m)^```console\n((?:[^`]|`[^`])*?)```$").FindAllStringSubmatch(docsPage(t, "query.md"), -1) {
		for _, command := range regexp.MustCompile(`(?m)^\$ `).Split(block[1], -1)[1:] {
			line, want, _ := strings.Cut(command, "\n")
			shown++
			if line == "creditmill query" {
				wantSession(t, config, want)
				continue
			}
			flags, statement, _ := strings.Cut(line, ` "`)
			args := slices.Concat(strings.Fields(flags)[1:], []string{strings.TrimSuffix(statement, `"`), "--config", config})
			if got := call(t, args...); got != want {
				t.Errorf("%s prints\n%s\nthe page has\n%s", line, got, want)
			}
		}
	}
	if shown != 3 {
		t.Errorf("%d commands were found", shown)
	}
}

// wantSession types what stands behind the prompts of a session.
func wantSession(t *testing.T, config, transcript string) {
	t.Helper()
	a := &app{name: "creditmill", clock: time.Now, config: config}
	p := &sitting{t: t}
	a.stdout, a.stderr = &p.out, &p.errs
	var err error
	if p.session, err = a.session(t.Context(), queryFlags{format: formatTable, limit: tableRows, given: values{}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.close(); err != nil {
			t.Error(err)
		}
	})
	p.person, p.timer, p.layout.notes = true, true, p.layout.out
	echo := &echoing{sitting: p, typed: typed{}}
	for _, line := range strings.Split(transcript, "\n") {
		for _, ask := range []string{prompt, promptMore} {
			if text, ok := strings.CutPrefix(line, ask); ok {
				echo.lines = append(echo.lines, text)
			}
		}
	}
	if err := p.talk(context.WithoutCancel(t.Context()), echo); err != nil {
		t.Fatal(err)
	}
	seconds := regexp.MustCompile(`\d+\.\d{3} s\n`)
	got, want := seconds.ReplaceAllString(p.out.String(), "S\n"), seconds.ReplaceAllString(transcript, "S\n")
	if got != want || p.errs.Len() > 0 {
		t.Errorf("the session prints\n%s%s\nthe page has\n%s", got, p.errs.String(), want)
	}
}

// An echoing person sees the prompt and what they type, as on a terminal.
type echoing struct {
	*sitting
	typed
}

func (e *echoing) read(prompt string) (string, error) {
	line, err := e.typed.read(prompt)
	if err == nil {
		e.printf("%s%s\n", prompt, line)
	}
	return line, err
}

func (e *echoing) remember(string) {}
