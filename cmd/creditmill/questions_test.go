package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/fixtures"
	"github.com/creditmill/creditmill/sql"
)

// A question is a section of docs/questions.md: its statement, and answers to it as the
// program prints them.
type question struct {
	statement string
	answers   []answer
}

// An answer is a command that is run in a folder, and what it prints.
type answer struct{ folder, command, printed string }

var (
	questionSection = regexp.MustCompile(`(?m)^## (\S+)$`)
	questionSQL     = regexp.MustCompile("(?s)```sql\n(.*?)```")
	questionAnswer  = regexp.MustCompile("(?s)in `([a-z/]+)`:\n\n```\n\\$ creditmill ([^\n]*)\n(.*?)```")
	questionFile    = regexp.MustCompile("(?s)<!-- file: late/(\\S+) -->\n```json\n(.*?)```")
	questionStep    = regexp.MustCompile(`(?m)^creditmill ((?:ingest|rate|apply) .*)$`)
)

// readQuestions reads docs/questions.md.
func readQuestions(t *testing.T) (text string, questions map[string]question) {
	t.Helper()
	page, err := os.ReadFile("../../docs/questions.md")
	if err != nil {
		t.Fatal(err)
	}
	text, questions = string(page), map[string]question{}
	heads := questionSection.FindAllStringSubmatchIndex(text, -1)
	for i, head := range heads {
		end := len(text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		section := text[head[1]:end]
		var q question
		if found := questionSQL.FindStringSubmatch(section); found != nil {
			q.statement = found[1]
		}
		for _, found := range questionAnswer.FindAllStringSubmatch(section, -1) {
			q.answers = append(q.answers, answer{found[1], found[2], found[3]})
		}
		questions[text[head[2]:head[3]]] = q
	}
	return text, questions
}

// The page has every ready question, with its statement as it stands in the file, and an
// answer of an example world.
func TestQuestionsAreOnTheirPage(t *testing.T) {
	t.Parallel()
	text, questions := readQuestions(t)
	names := sql.Names("questions")
	if len(names) != 10 || len(questions) != len(names) {
		t.Errorf("there are %d questions, and %d on the page; ten are promised", len(names), len(questions))
	}
	for _, name := range names {
		q := questions[name]
		if q.statement != sql.Text("questions/"+name) {
			t.Errorf("%s: the statement on the page is not sql/questions/%s.sql", name, name)
		}
		if len(q.answers) == 0 {
			t.Errorf("%s has no answer on the page", name)
		}
		for _, a := range q.answers {
			world, isDemo := strings.CutPrefix(a.folder, "demo/")
			if isDemo != slices.Contains(fixtures.Worlds(), world) || !isDemo && a.folder != "late" {
				t.Errorf("%s: %s is no example world", name, a.folder)
			}
			if !strings.HasPrefix(a.command, "query --question "+name) {
				t.Errorf("%s is answered by %q", name, a.command)
			}
		}
		if !strings.Contains(text, "| ["+name+"](#"+name+") |") {
			t.Errorf("%s is not in the page's list", name)
		}
	}
	// What the tests look at is all that there is.
	if answers, commands := len(questionAnswer.FindAllString(text, -1)), strings.Count(text, "\n$ creditmill "); answers != commands {
		t.Errorf("%d answers were understood, there are %d commands", answers, commands)
	}
}

// compareAnswers compares the answers on the page that are of a folder, word for word.
func compareAnswers(t *testing.T, folder, config string) {
	t.Helper()
	_, questions := readQuestions(t)
	for name, q := range questions {
		for _, a := range q.answers {
			if a.folder != folder {
				continue
			}
			if got := call(t, append(strings.Fields(a.command), "--config", config)...); got != a.printed {
				t.Errorf("%s in %s prints\n%s\ndocs/questions.md has\n%s", name, folder, got, a.printed)
			}
		}
	}
}

// The example of late, held and rejected records on the page is done as it says.
func TestTheExampleOfExceptions(t *testing.T) {
	t.Parallel()
	text, _ := readQuestions(t)
	dir := filepath.Join(t.TempDir(), "late")
	call(t, "demo", "vision", "--dir", dir)
	files := questionFile.FindAllStringSubmatch(text, -1)
	steps := questionStep.FindAllStringSubmatch(text, -1)
	if len(files) != 2 || len(steps) != 3 {
		t.Fatalf("%d files and %d commands on the page", len(files), len(steps))
	}
	for _, file := range files {
		path := filepath.Join(dir, filepath.FromSlash(file[1]))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(file[2]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(dir, defaultConfig)
	for _, step := range steps {
		call(t, append(strings.Fields(step[1]), "--config", config)...)
	}
	compareAnswers(t, "late", config)
	readOneMonth(t, config)
}

// readOneMonth looks whether a view of which one month is asked reads the files of that
// month alone: of rated, and of statements where the month is closed.
func readOneMonth(t *testing.T, config string) {
	t.Helper()
	for _, view := range []string{"revenue_by_kind", "usage_by_day", "usage_by_model", "usage_by_operation", "usage_by_project"} {
		for _, month := range []string{"2026-10", "2026-11", "2026-12"} {
			plan := call(t, "query", "--config", config, "--json", "EXPLAIN SELECT * FROM "+view+" WHERE period = '"+month+"'")
			want := 1
			if view == "revenue_by_kind" && month == "2026-12" {
				want = 0 // it is open
			}
			if scans := strings.Count(plan, "Function:"); scans != want {
				t.Errorf("%s of %s reads %d sets of files instead of %d:\n%s", view, month, scans, want, plan)
			}
		}
	}
}
