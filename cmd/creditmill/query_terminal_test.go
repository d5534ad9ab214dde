package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/jedib0t/go-pretty/v6/text"
)

// A console is the program on a pseudo terminal.
type console struct {
	t    *testing.T
	cmd  *exec.Cmd
	tty  *os.File
	done chan error

	mu  sync.Mutex
	out []byte
}

// onTerminal starts a session on a terminal of that many columns, with state as the folder
// of programs' state.
func onTerminal(t *testing.T, columns uint16, state string, args ...string) *console {
	t.Helper()
	cmd := exec.Command("creditmill", args...)
	cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+state, "TERM=xterm")
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 30, Cols: columns})
	if err != nil {
		t.Fatal(err)
	}
	c := &console{t: t, cmd: cmd, tty: tty, done: make(chan error, 1)}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // when the test has failed
		_ = tty.Close()
	})
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := tty.Read(buffer)
			c.mu.Lock()
			c.out = append(c.out, buffer[:n]...)
			c.mu.Unlock()
			if err != nil {
				c.done <- cmd.Wait()
				return
			}
		}
	}()
	return c
}

// press sends keys and waits until what an expression describes is on the terminal. What
// came before is forgotten then.
func (c *console) press(keys, want string) string {
	c.t.Helper()
	if _, err := c.tty.WriteString(keys); err != nil {
		c.t.Fatal(err)
	}
	expression := regexp.MustCompile(want)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		c.mu.Lock()
		out := string(c.out)
		place := expression.FindStringIndex(out)
		if place != nil {
			c.out = c.out[place[1]:]
		}
		c.mu.Unlock()
		if place != nil {
			return out[:place[1]]
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("after %q the terminal shows\n%q\nand not %s", keys, out, want)
		}
	}
}

func (c *console) ends(keys string) {
	c.t.Helper()
	if _, err := c.tty.WriteString(keys); err != nil {
		c.t.Fatal(err)
	}
	select {
	case err := <-c.done:
		if err != nil {
			c.t.Errorf("the session ends with %v\n%s", err, c.out)
		}
	case <-time.After(30 * time.Second):
		c.t.Fatalf("%q does not end the session", keys)
	}
}

const (
	ready = `creditmill> $`
	goOn  = `       \.\.\.> $`
)

func sessionOnATerminal(t *testing.T, config string) {
	state := t.TempDir()
	c := onTerminal(t, 70, state, "query", "--config", config, "--now", sampleNow)
	c.press("", `Reading the lake as of run 2 \(rate, 2026-11-15T12:00:00Z\)\. .*\r\n(?s:.*)`+ready)
	// A statement over several lines; Tab completes names and shows what they may become.
	c.press("SELECT account, sum(cre\t", `credits`)
	c.press("\x7f) AS c\r", goOn)
	c.press("FROM rated\t", `rated`)
	c.press("GROUP BY ALL ORDER BY ALL;\r", `(?s)acme +1,100\r\n +hobby +205\r\n  2 rows, \d+\.\d{3} s\r\n.*`+ready)
	c.press("r\t", `(?s)rank.*rated.*rejected.*`)
	c.press("\x03", ready)
	c.press(".for\tcs\t\r", ready)
	c.press("\x1b[A\x1b[A\r", `(?s)account,c\r\nacme,1100.000000\r\nhobby,205.000000\r\n.*`+ready) // the arrow up brings it back whole
	c.press(".format table\r", ready)
	// Ctrl-C gives up what is typed, and ends a statement that runs: never the session.
	c.press("SELECT nonsense\r", goOn)
	c.press("and more\x03", ready)
	c.press("SELECT count(*) FROM range(1000000000000) AS r(i) WHERE md5(CAST(i AS VARCHAR)) = '';\r", `= '';\r\n`)
	time.Sleep(200 * time.Millisecond) // else it ends before it has begun, which is as good
	c.press("\x03", `creditmill: error: interrupted\r\n(?s:.*)`+ready)
	c.press("SELECT nothing;\r", `(?s)creditmill: error: Binder Error.*LINE 1: SELECT nothing\r\n.*`+ready)
	// Texts are cut to the width of the terminal, numbers never; what has no room is named.
	wide := c.press("SELECT repeat('long ', 30) AS words, 123456789012 AS number, * FROM rated;\r", `(?s)\r\n  8 rows, .*`+ready)
	if !strings.Contains(wide, "…") || !strings.Contains(wide, "123,456,789,012") || !regexp.MustCompile(`no room for .*period`).MatchString(strings.ReplaceAll(wide, "\r\n  ", " ")) {
		t.Errorf("a wide table is\n%s", wide)
	}
	for _, line := range strings.Split(wide, "\r\n") {
		if n := len([]rune(line)); strings.HasPrefix(line, "  ") && n > 70 {
			t.Errorf("%d characters: %s", n, line)
		}
	}
	c.ends("\x04")

	path := filepath.Join(state, "creditmill", "query_history")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	if data, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(data), "SELECT account, sum(credits) AS c FROM rated GROUP BY ALL ORDER BY ALL;\n.format csv\n") || strings.Contains(string(data), "nonsense") {
		t.Errorf("the history is\n%s%v", data, err)
	}
	// The next session knows it; one without history keeps nothing.
	c = onTerminal(t, 120, state, "query", "--config", config, "--now", sampleNow, "--history=false", "--account", "nobody")
	c.press("", `warning: there is no account nobody: there are acme, hobby\r\n(?s:.*)`+ready)
	c.press("SELECT 42 AS answer;\r", `(?s)42\r\n.*`+ready)
	c.ends(".quit\r")
	c = onTerminal(t, 120, state, "query", "--config", config, "--now", sampleNow)
	c.press("", ready)
	c.press("\x1b[A", `SELECT repeat\('long ', 30\)`)
	c.press("\x03", ready)
	c.ends("\x04")
}

// A session that is told to end closes the lake and leaves no scratch.
func sessionEndedBySignal(t *testing.T, config string) {
	config = copyShop(t, config)
	c := onTerminal(t, 80, t.TempDir(), "query", "--config", config, "--now", sampleNow)
	c.press("", ready)
	c.press("SELECT 1 AS a;\r", ready)
	if open, err := filepath.Glob(filepath.Join(filepath.Dir(config), "lake", ".scratch", "*", "*")); err != nil || len(open) == 0 {
		t.Errorf("scratch holds %v, %v", open, err)
	}
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	c.ends("")
	left, err := filepath.Glob(filepath.Join(filepath.Dir(config), "lake", ".scratch", "*", "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in scratch: %v, %v", left, err)
	}
}

func TestCompletionOfNames(t *testing.T) {
	t.Parallel()
	var shown string
	c := &completion{
		tables: []string{"rate_limits", "rated", "rejected", "usage"}, names: []string{"credits", "rate_calls", "rate_limits", "rated", "rejected", "usage"}, after: map[string][]string{".format": formats, ".schema": {"rated"}},
		show: func(text string) { shown += text },
	}
	for _, k := range []struct{ line, want, shown string }{ // | is the cursor
		{"SELECT cr|", "SELECT credits |", ""},
		{"SELECT CR|", "SELECT credits |", ""},
		{"SELECT sum(r.cre|) FROM x", "SELECT sum(r.credits |) FROM x", ""},
		{"FROM ra|", "FROM rate|", ""},
		{"FROM rate|", "FROM rate|", "rate_limits rated\n"},
		{"FROM x JOIN re|", "FROM x JOIN rejected |", ""},
		{"SELECT rate|", "SELECT rate|", "rate_calls rate_limits rated\n"},
		{"FROM us| WHERE", "FROM usage| WHERE", ""},
		{"FROM nothing|", "FROM nothing|", ""},
		{"|", "|", ""},
		{"SELECT |", "SELECT |", ""},
		{".sch|", ".schema |", ""},
		{".schema |", ".schema rated |", ""},
		{".format j|", ".format json |", ""},
		{".q|", ".qu|", ""},
		{".nothing x|", ".nothing x|", ""},
		{"SELECT é, us|", "SELECT é, usage |", ""},
	} {
		shown = ""
		before, after, _ := strings.Cut(k.line, "|")
		line, pos, taken := c.key(before+after, len(before), '\t')
		if got := line[:pos] + "|" + line[pos:]; got != k.want || !taken || shown != k.shown {
			t.Errorf("%q becomes %q and shows %q", k.line, got, shown)
		}
	}
	if _, _, taken := c.key("SELECT cr", 9, 'e'); taken {
		t.Error("another key completes")
	}
}

func TestHistoryIsKeptInAFileOfItsOwnersOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state", "creditmill", "query_history")
	h := newHistory(path, true)
	for _, entry := range []string{"SELECT 1;", "SELECT 1;", "", "  ", "a\x1b[2Jb", "a\nb", " SELECT 2; "} {
		h.remember(entry)
	}
	want := []string{"SELECT 1;", "SELECT 2;"}
	if h = newHistory(path, true); !slices.Equal(h.entries, want) || h.Len() != 2 || h.At(0) != want[1] {
		t.Errorf("%q", h.entries)
	}
	// What others could read is closed to them.
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	newHistory(path, true)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	// It does not grow for ever.
	var many strings.Builder
	for i := range 2*mostRemembered + 1 {
		fmt.Fprintf(&many, "SELECT %d;\n", i)
	}
	if err := os.WriteFile(path, []byte(many.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if h = newHistory(path, true); h.Len() != mostRemembered || h.At(0) != "SELECT 2000;" {
		t.Errorf("%d entries, the newest %s", h.Len(), h.At(0))
	}
	if data, err := os.ReadFile(path); err != nil || strings.Count(string(data), "\n") != mostRemembered {
		t.Errorf("%d lines, %v", strings.Count(string(data), "\n"), err)
	}
	// Where it cannot be kept, or must not be, a session goes on without.
	folder := t.TempDir()
	for _, h := range []*history{newHistory(path, false), newHistory("", true), newHistory(folder, true), newHistory(filepath.Join(path, "below a file"), true)} {
		before := h.Len()
		h.remember("SELECT 3;")
		if h.Len() != before+1 {
			t.Errorf("%d entries", h.Len())
		}
	}
	if data, err := os.ReadFile(path); err != nil || strings.Contains(string(data), "SELECT 3;") {
		t.Errorf("it is kept, %v", err)
	}
}

func TestWhereTheHistoryLies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ state, home, want string }{
		{"/state", "/home/u", "/state/creditmill/query_history"},
		{"", "/home/u", "/home/u/.local/state/creditmill/query_history"},
		{"relative", "/home/u", "/home/u/.local/state/creditmill/query_history"}, // by the rules of XDG such a value is not valid
		{"", "", ""},
	} {
		got := historyPath(func(name string) string {
			return map[string]string{"XDG_STATE_HOME": c.state, "HOME": c.home}[name]
		})
		if got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// However many columns there are and however long their names, a table fits the terminal
// as long as its first column does.
func TestTablesFitTheTerminal(t *testing.T) {
	t.Parallel()
	for width := 20; width < 140; width += 7 {
		g := newGrid("a_name_that_is_long", "n", "text", "a_number_with_a_name", "é", "last")
		g.numbers(1, 3)
		g.add("short", "1,234,567", strings.Repeat("日本語 text ", 3), "12", "\x1b[2J", "")
		g.add(strings.Repeat("x", 60), "1", "", "123,456,789.123456", "", "last of all")
		all := slices.Clone(g.head)
		hidden := layout{width: width}.fit(g)
		if got := len(g.head) + len(hidden); got != len(all) || !slices.Equal(hidden, all[len(g.head):]) {
			t.Errorf("width %d: shown %q, hidden %q", width, g.head, hidden)
		}
		for _, line := range strings.Split(strings.TrimRight(g.String(), "\n"), "\n") {
			if n := text.StringWidthWithoutEscSequences(line); n > width {
				t.Errorf("width %d: %d characters: %s", width, n, line)
			}
		}
		if len(g.head) > 1 && g.rows[0][1] != "1,234,567" || len(g.head) > 3 && g.rows[1][3] != "123,456,789.123456" {
			t.Errorf("width %d cuts numbers: %q", width, g.rows)
		}
	}
}

// Ctrl-C is no end of the input, wherever it stands in what is read at once.
func TestKeysOfAnInterrupt(t *testing.T) {
	t.Parallel()
	for input, want := range map[string]string{
		"abc": "abc", "abc\x03": "\x05\x15\r", "abc\x03def": "\x05\x15\rdef", "\x03\x03": "\x05\x15\r",
	} {
		k := &keys{in: strings.NewReader(input)}
		data := make([]byte, 0, 16)
		for buffer := make([]byte, 2); ; {
			n, err := k.Read(buffer)
			data = append(data, buffer[:n]...)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		// Two bytes are read at once: what stood before in another read is typed already.
		if got := string(data); !strings.HasSuffix(got, want) || k.interrupted != strings.Contains(input, "\x03") {
			t.Errorf("%q: %q, interrupted %t", input, got, k.interrupted)
		}
	}
}
