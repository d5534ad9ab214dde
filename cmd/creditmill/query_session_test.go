package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/period"
)

// sampleShop is a lake with the sample calls rated: 5 of acme for 1,100 credits and 3 of
// hobby for 205. It returns the configuration.
func sampleShop(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shop")
	config := filepath.Join(dir, defaultConfig)
	call(t, "init", dir, "--now", sampleNow)
	for _, verb := range []string{"ingest", "rate"} {
		call(t, verb, "--config", config, "--now", sampleNow)
	}
	return config
}

const sampleNow = "2026-11-15T12:00:00Z"

// Sessions of one lake, which none of them changes.
func TestSessions(t *testing.T) {
	t.Parallel()
	config := sampleShop(t)
	for name, test := range map[string]func(*testing.T, string){
		"DotCommandsDoWhatHelpSays":    dotCommandsDoWhatHelpSays,
		"StatementsAreRun":             statementsAreRun,
		"ASessionReadsOneRun":          aSessionReadsOneRun,
		"StatementsAreRememberedWhole": statementsAreRememberedWhole,
		"OnATerminal":                  sessionOnATerminal,
		"EndedBySignal":                sessionEndedBySignal,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, config)
		})
	}
}

// copyShop is a lake of a test's own; it returns its configuration.
func copyShop(t *testing.T, config string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Dir(config))); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, defaultConfig)
}

// typed are the lines of a person who types them without a terminal.
type typed struct {
	lines, remembered []string
}

func (p *typed) read(string) (string, error) {
	if len(p.lines) == 0 {
		return "", io.EOF
	}
	line := p.lines[0]
	p.lines = p.lines[1:]
	if line == "^C" {
		return "", errInterrupted
	}
	return line, nil
}

func (p *typed) remember(entry string) { p.remembered = append(p.remembered, entry) }

// A sitting is a person's session in this process.
type sitting struct {
	*session
	t         *testing.T
	out, errs bytes.Buffer
}

func sit(t *testing.T, config string) *sitting {
	t.Helper()
	p := &sitting{t: t}
	now, err := period.ParseInstant(sampleNow)
	if err != nil {
		t.Fatal(err)
	}
	a := &app{name: "creditmill", stdout: &p.out, stderr: &p.errs, clock: func() time.Time { return now }, config: config, now: sampleNow}
	p.session, err = a.session(t.Context(), queryFlags{format: formatTable, limit: tableRows, given: values{}})
	if err != nil {
		t.Fatal(err)
	}
	p.person, p.timer, p.layout.notes = true, true, p.layout.out
	t.Cleanup(func() {
		if err := p.close(); err != nil {
			t.Error(err)
		}
		for _, m := range a.mills {
			if err := m.Release(); err != nil {
				t.Error(err)
			}
		}
	})
	return p
}

// enter types lines and returns what is printed, without the greeting, and what is said to
// be wrong.
func (p *sitting) enter(lines ...string) (out, errs string) {
	p.t.Helper()
	p.out.Reset()
	p.errs.Reset()
	if err := p.talk(context.WithoutCancel(p.t.Context()), &typed{lines: lines}); err != nil {
		p.t.Errorf("%q ends the session: %v", lines, err)
	}
	_, out, _ = strings.Cut(p.out.String(), "\n")
	return out, p.errs.String()
}

const sumByAccount = "SELECT account, sum(credits) AS credits FROM rated GROUP BY ALL ORDER BY ALL;"

// Each dot command does what .help says of it, or says what is wrong.
func dotCommandsDoWhatHelpSays(t *testing.T, config string) {
	folder := t.TempDir()
	script, broken := filepath.Join(folder, "script.sql"), filepath.Join(folder, "broken.sql")
	for path, text := range map[string]string{
		script: ".format csv\nSELECT 'from the file' AS said;\n.format table\n",
		broken: "SELECT 1 AS one;\nSELECT two;\nSELECT 3 AS three;\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := sit(t, config)
	tried := map[string]bool{}
	for _, c := range []struct {
		lines []string
		out   string // an expression for all that is printed
		errs  string
	}{
		{[]string{".tables"}, `(?s)  rated +table +every call with its price.*  as_of +session table.*  revenue_by_month +view`, ``},
		{[]string{".tables rated"}, `^$`, `^creditmill: error: \.tables takes nothing\n$`},
		{[]string{".schema rated"}, `(?s)^rated: .*  credits +DECIMAL\(18,6\).*  period +VARCHAR`, ``},
		{[]string{".schema REVENUE_BY_MONTH"}, `(?s)^revenue_by_month: .*  deferred +DECIMAL`, ``},
		{[]string{".schema"}, `(?s)^objects\n  .*\nrated\n  event_id VARCHAR, .* images BIGINT.*\nrevenue_by_month\n`, ``},
		{[]string{".schema nothing"}, `^$`, `^creditmill: error: there is no table or view nothing; \.tables lists them\n$`},
		{[]string{".questions"}, `(?m)^  revenue +\.period`, ``},
		{[]string{".question revenue"}, `^$`, `^creditmill: error: the statement uses \$period: say which with \.period\n$`},
		{[]string{".period 2026-10", ".question revenue"}, `  0 rows, 0\.000 s\n$`, ``},
		{[]string{".question"}, `^$`, `^creditmill: error: \.question takes NAME\n$`},
		{[]string{".question nothing"}, `^$`, `there is no question nothing`},
		{[]string{"SELECT $period AS p;"}, `^  p\n─+\n  2026-10\n  1 row, 0\.000 s\n$`, ``},
		{[]string{".period", "SELECT $period AS p;"}, `^$`, `the statement uses \$period: say which with \.period`},
		{[]string{".period 2026-13"}, `^$`, `2026-13 is no month`},
		{[]string{".account hobby", "SELECT sum(credits) AS c FROM rated WHERE account = $account;"}, `\n  205\n`, ``},
		{[]string{sumByAccount}, `^  account  credits\n─+\n  acme       1,100\n  hobby        205\n  2 rows, 0\.000 s\n$`, ``},
		{[]string{".account 'hobby'", "SELECT $account AS a;"}, `\n  hobby\n`, ``},
		{[]string{`.account "no such"`, "SELECT $account AS a;", "SELECT count(*) AS n FROM information_schema.tables WHERE table_name LIKE 'account\\_%' ESCAPE '\\' AND table_name <> 'account_events';"}, `(?s)\n  no such\n.*\n  0\n`, `^creditmill: warning: there is no account no such: there are acme, hobby\n$`},
		{[]string{".account", "SELECT $account;"}, `^$`, `say which with \.account`},
		{[]string{".format csv", sumByAccount}, `^account,credits\nacme,1100\.000000\nhobby,205\.000000\n  2 rows, 0\.000 s\n$`, ``},
		{[]string{".format json", "SELECT 1 AS a;"}, `^\{\n  "columns": \["a"\],\n  "rows": \[\n    \{"a": 1\}\n  \]\n\}\n  1 row, 0\.000 s\n$`, ``},
		{[]string{".format xml"}, `^$`, `\.format xml: choose table, csv or json`},
		{[]string{".format table", ".limit 2", "SELECT i FROM range(3) AS r(i);"}, `^  i\n─+\n  0\n  1\n  2 rows shown, and there are more: \x60\.limit NUMBER\x60 shows more of them, the formats csv and json all, 0\.000 s\n$`, ``},
		{[]string{".limit 0"}, `^$`, `\.limit 0: a number of rows, at least 1`},
		{[]string{".timer off", "SELECT 1 AS a;"}, `^  a\n─+\n  1\n  1 row\n$`, ``},
		{[]string{".timer maybe"}, `^$`, `\.timer maybe: choose on or off`},
		{[]string{".timer on;", "SELECT 1 AS a;"}, `  1 row, 0\.000 s\n$`, ``},
		{[]string{".run " + script}, `^said\nfrom the file\n  1 row, 0\.000 s\n$`, ``},
		{[]string{".run " + broken, "SELECT 4 AS four;"}, `(?s)^  one\n.*  four\n`, `^creditmill: error: .*broken\.sql:2:8: Binder Error: (?s:.*)LINE 2: SELECT two\n`},
		{[]string{".run nothing.sql"}, `^$`, `nothing\.sql: no such file`},
		{[]string{".refresh"}, `^Reading the lake as of run 2 \(rate, 2026-11-15T12:00:00Z\)\.\n$`, ``},
		{[]string{".help"}, `(?s)  \.tables .*  \.quit +end the session\n`, ``},
		{[]string{".quit", "SELECT 1;"}, `^$`, ``},
		{[]string{"quit", "SELECT 1;"}, `^$`, ``},
		{[]string{" exit; ", "SELECT 1;"}, `^$`, ``},
		{[]string{`\q`, "SELECT 1;"}, `^$`, ``},
		{[]string{"help;"}, `(?s)  \.tables .*  \.quit +end the session\n`, ``},
		{[]string{"SELECT 1 AS", "help", ";"}, `^  help\n─+\n +1\n`, ``},
		{[]string{"help me;"}, `^$`, `^creditmill: error: Parser Error: syntax error at or near "help"\n\nLINE 1: help me\n        \^\n$`},
		{[]string{".drop rated"}, `^$`, `^creditmill: error: there is no \.drop; \.help lists what there is\n$`},
		{[]string{".\x1b[2J"}, `^$`, `^creditmill: error: there is no \.\\x1b\[2J; `},
	} {
		out, errs := p.enter(c.lines...)
		if !regexp.MustCompile(c.out).MatchString(out) || c.errs == "" && errs != "" || !regexp.MustCompile(c.errs).MatchString(errs) {
			t.Errorf("%q prints\n%s\nand says\n%s", c.lines, out, errs)
		}
		for _, line := range c.lines {
			name, _, _ := strings.Cut(line, " ")
			tried[strings.TrimSuffix(name, ";")] = true
		}
	}
	for _, command := range dotCommands() {
		if !tried[command.name] {
			t.Errorf("%s is not tried", command.name)
		}
	}
}

func statementsAreRun(t *testing.T, config string) {
	p := sit(t, config)
	for _, c := range []struct {
		lines     []string
		out, errs string
	}{
		{[]string{"SELECT count(*) AS n", "", "FROM rated -- all; of them", "WHERE true;"}, `^  n\n─+\n  8\n  1 row, 0\.000 s\n$`, ``},
		{[]string{"SELECT 1 AS a; SELECT 2 AS b; SELECT 3", "AS c;"}, `(?s)^  a\n.*  b\n.*  c\n`, ``},
		{[]string{"SELECT 'a;", ".tables", "' AS x;"}, `  a;\\n\.tables\\n\n`, ``},
		{[]string{"SELECT nothing,", "^C", "SELECT 2 AS b;"}, `^  b\n`, ``},
		{[]string{"SELECT 1", "AS a, nothing;", "SELECT 2 AS b;"}, `^  b\n`, `^creditmill: error: Binder Error: (?s:.*)LINE 2: AS a, nothing\n              \^\n$`},
		{[]string{"", "  ", "-- nothing", "/* nothing", "at all */", ";"}, `^$`, ``},
		{[]string{"COPY rated TO 'x.csv';"}, `^$`, `^creditmill: error: only one statement is run, a SELECT or an EXPLAIN of a SELECT\ncreditmill: hint: to take tables elsewhere`},
		{[]string{"SELECT * FROM read_text('/etc/passwd');", "FROM '/etc/passwd';", "SELECT getenv('HOME');", "SET threads = 1;"}, `^$`, `(?s)read_text\(\) in FROM.*"/etc/passwd" is no live table.*getenv\(\).*only one statement`},
		{[]string{"EXPLAIN SELECT 'here' AS x;"}, `(?s)PROJECTION.*  1 row, 0\.000 s\n$`, ``},
		{[]string{"SELECT chr(27) || '[2J' AS x;"}, `  \\x1b\[2J\n`, ``},
		{[]string{"SELECT run FROM as_of;"}, `\n +2\n`, ``}, // a table of the session, made when it is named
		{[]string{"SELECT count(*) AS n FROM information_schema.tables WHERE table_name IN ('rated', 'revenue_by_month', 'accounts');"}, `\n  3\n`, ``},
		{[]string{"SELECT 1 AS unfinished"}, `^$`, ``},
	} {
		p.given = values{}
		out, errs := p.enter(c.lines...)
		if !regexp.MustCompile(c.out).MatchString(out) || c.errs == "" && errs != "" || !regexp.MustCompile(c.errs).MatchString(errs) {
			t.Errorf("%q prints\n%s\nand says\n%s", c.lines, out, errs)
		}
	}
}

// What is committed while a session is open is read after .refresh and not before.
func aSessionReadsOneRun(t *testing.T, config string) {
	config = copyShop(t, config)
	p := sit(t, config)
	const runs = "SELECT (SELECT run FROM as_of) AS run, (SELECT count(*) FROM ledger) > 0 AS burned;"
	before, _ := p.enter(".format csv", runs)
	call(t, "apply", "--config", config, "--now", sampleNow)
	same, _ := p.enter(runs, "SELECT count(*) AS n FROM balances;")
	after, errs := p.enter(".refresh", runs)
	for _, c := range []struct{ got, want string }{
		{before, "run,burned\n2,false\n  1 row, 0.000 s\n"},
		{same, "run,burned\n2,false\n  1 row, 0.000 s\nn\n0\n  1 row, 0.000 s\n"},
		{after, "Reading the lake as of run 3 (apply, 2026-11-15T12:00:00Z).\nrun,burned\n3,true\n  1 row, 0.000 s\n"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q, %s", c.got, c.want, errs)
		}
	}
}

func statementsAreRememberedWhole(t *testing.T, config string) {
	p := sit(t, config)
	person := &typed{lines: []string{"SELECT 1", "  AS a;", ".tables", "SELECT 'a", "b';", "given up", "^C", "", "SELECT nothing;"}}
	if err := p.talk(t.Context(), person); err != nil {
		t.Fatal(err)
	}
	if want := []string{"SELECT 1   AS a;", ".tables", "SELECT 'a", "b';", "", "SELECT nothing;"}; !slices.Equal(person.remembered, want) {
		t.Errorf("%q", person.remembered)
	}
}
