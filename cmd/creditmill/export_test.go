package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"pgregory.net/rapid"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/jobs"
)

// Hostile text, SPEC section 11: no cell that a log's author wrote begins like a
// formula, every reader of RFC 4180 gets the same cells, and what was put in front
// can be taken away again.
func TestCSVIsSafeToOpenInASpreadsheet(t *testing.T) {
	formula := regexp.MustCompile(`^[\s]*[=+\-@＝＋－＠]|^[\t\r\n]`)
	check := func(t interface {
		Errorf(format string, args ...any)
	}, text string,
	) {
		safe := inSpreadsheet(text)
		if formula.MatchString(safe) {
			t.Errorf("%q becomes %q, which a spreadsheet runs", text, safe)
		}
		if strings.TrimPrefix(safe, "'") != text && safe != text || strings.HasPrefix(text, "'") && safe != "'"+text {
			t.Errorf("%q becomes %q: what it was cannot be told", text, safe)
		}
		line := appendCSVText(append(appendCSVText(nil, safe), ','), "x")
		records, err := csv.NewReader(bytes.NewReader(append(line, "\r\n"...))).ReadAll()
		// encoding/csv reads CR LF within a cell as LF.
		want := [][]string{{strings.ReplaceAll(safe, "\r\n", "\n"), "x"}}
		if err != nil || len(records) != 1 || !slices.Equal(records[0], want[0]) {
			t.Errorf("%q is written as %q and read as %q, %v", text, line, records, err)
		}
	}
	for text, want := range map[string]string{
		"acme": "acme", "": "", "7": "7", "1-2": "1-2", "a=b": "a=b", "é": "é",
		"=HYPERLINK(\"http://x\")": "'=HYPERLINK(\"http://x\")", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)",
		"\t=1": "'\t=1", "\r=1": "'\r=1", "\n=1": "'\n=1", "\tx": "'\tx", "  =1": "'  =1", "\u00a0=1": "'\u00a0=1",
		"＝1": "'＝1", "'=1": "''=1", "'": "''", "  x": "  x",
	} {
		if got := inSpreadsheet(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
		check(t, text)
	}
	rapid.Check(t, func(t *rapid.T) {
		check(t, rapid.StringOf(rapid.OneOf(rapid.SampledFrom([]rune("=+-@'\",;\t\r\n ab")), rapid.Rune())).Draw(t, "text"))
	})
}

// Decimals as text, against big.Rat.
func TestCellsHaveAllDigits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.Int64().Draw(t, "units")
		scale := rapid.SampledFrom([]int{4, 6, 12}).Draw(t, "scale")
		want := new(big.Rat).SetFrac(big.NewInt(units), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)).FloatString(scale)
		if got := string(appendDecimal(nil, decimal128.FromI64(units), scale)); got != want {
			t.Errorf("%d units of 10^-%d: %s, want %s", units, scale, got, want)
		}
	})
}

// Text of logs in JSON, against encoding/json as a reader; no control character is
// left for a terminal.
func TestJSONTextIsReadAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		written := appendJSONText(nil, text)
		var read string
		if err := json.Unmarshal(written, &read); err != nil || read != text {
			t.Errorf("%q is written as %s and read as %q, %v", text, written, read, err)
		}
		if strings.ContainsFunc(string(written), unicode.IsControl) {
			t.Errorf("%q has a control character", written)
		}
	})
}

// A live heap that is looked at while an export is written: its size must not depend
// on how many rows there are.
type heapMeter struct {
	written, looked int64
	peak            uint64
}

func (m *heapMeter) Write(p []byte) (int, error) {
	if m.written += int64(len(p)); m.written-m.looked > 1<<20 {
		m.looked = m.written
		m.look()
	}
	return len(p), nil
}

func (m *heapMeter) look() {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	m.peak = max(m.peak, stats.HeapAlloc)
}

// The memory of Go that an export takes is the same for ten times as many rows. Runs
// alone: other tests allocate.
func TestExportStreams(t *testing.T) {
	const few, many = 30_000, 300_000
	dir := t.TempDir()
	config := filepath.Join(dir, defaultConfig)
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"creditmill.yaml": "lake: lake\nraw: raw\nfirst_period: 2026-10\nsources: [sources/*.yaml]\nprices: [prices.yaml]\n",
		"sources/calls.yaml": "source: calls\npath: calls/*.jsonl\nformat: jsonl\n" +
			"event: {id: id, time: ts, account: org, operation: {constant: chat}}\nquantities: {n: n}\n",
		"sources/accounts.yaml": "source: accounts\npath: accounts/*.jsonl\nformat: accounts\n",
		"prices.yaml": "table: api\nversion: 1\neffective_from: 2026-10-01T00:00:00Z\napplies_to: [\"*\"]\n" +
			"rules: [{charge: {each: n, credits: \"0.001\"}}]\n",
		"raw/accounts/a.jsonl": `{"id":"1","type":"account.opened","account":"few","at":"2026-10-01T00:00:00Z"}` + "\n" +
			`{"id":"2","type":"account.opened","account":"many","at":"2026-10-01T00:00:00Z"}` + "\n",
	} {
		must(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		must(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	must(os.Mkdir(filepath.Join(dir, "raw", "calls"), 0o755))
	var log bytes.Buffer
	for account, calls := range map[string]int{"few": few, "many": many} {
		for i := range calls {
			at := time.Date(2026, 10, 1+i%28, 12, 0, i%60, i, time.UTC)
			fmt.Fprintf(&log, `{"id":"call-%d","ts":%q,"org":%q,"n":%d}`+"\n", i, at.Format(time.RFC3339Nano), account, i%7)
		}
	}
	must(os.WriteFile(filepath.Join(dir, "raw", "calls", "a.jsonl"), log.Bytes(), 0o644))
	log = bytes.Buffer{}
	call(t, "ingest", "--config", config, "--now", "2026-10-31T00:00:00Z")
	call(t, "rate", "--config", config, "--now", "2026-10-31T00:00:00Z")

	for _, args := range [][]string{
		{"export", "usage", "--period", "2026-10", "--format", "json", "--account"},
		{"export", "usage", "--period", "2026-10", "--format", "csv", "--account"},
		{"export", "rated", "--format", "json", "--account"},
	} {
		var meters [2]heapMeter
		for i, account := range []string{"few", "many"} {
			a := &app{name: "creditmill", stdout: &meters[i], stderr: os.Stderr, clock: time.Now}
			if code := a.run(context.Background(), append(slices.Clone(args), account, "--config", config)); code != exitDone {
				t.Fatalf("%v: exit code %d", args, code)
			}
			meters[i].look()
		}
		few, many := meters[0], meters[1]
		t.Logf("%v: %d and %d bytes, live heap at most %d and %d", args, few.written, many.written, few.peak, many.peak)
		if few.written == 0 || many.written < 9*few.written {
			t.Fatalf("%v: %d and %d bytes were written", args, few.written, many.written)
		}
		if many.peak > few.peak+few.peak/4+4<<20 {
			t.Errorf("%v: the heap held %d bytes for few rows, %d for ten times as many", args, few.peak, many.peak)
		}
	}
}

// Parquet is bytes that no terminal should be sent.
func TestParquetIsNotPrintedToATerminal(t *testing.T) {
	t.Parallel()
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var errs bytes.Buffer
	a := &app{name: "creditmill", stdout: terminal, stderr: &errs, clock: time.Now}
	if code := a.run(context.Background(), []string{"export", "rated", "--format", "parquet"}); code != exitUsage {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(errs.String(), "not for a terminal") {
		t.Errorf("it says\n%s", errs.String())
	}
}

// A CSV that is printed to a terminal has its control characters escaped.
func TestCSVDoesNotSteerATerminal(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "shop")
	config := filepath.Join(dir, defaultConfig)
	call(t, "init", dir, "--now", "2026-11-15T12:00:00Z")
	evil := `{"request_id":"e-1","ts":"2026-10-21T10:00:00Z","org":"acme","op":"image.generate","params":{"size":"x\u001b[31m\u009b\u202e,y"},"status":200}` + "\n"
	if err := os.WriteFile(filepath.Join(dir, "raw", "gateway", "evil.jsonl"), []byte(evil), 0o644); err != nil {
		t.Fatal(err)
	}
	call(t, "ingest", "--config", config, "--now", "2026-11-15T12:00:00Z")
	ctx := context.Background()
	a := &app{name: "creditmill", stdout: io.Discard, stderr: io.Discard, clock: time.Now, config: config}
	m, done, err := a.open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	e, err := m.Export(ctx, jobs.Selection{Table: lake.Usage.Name})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for terminal, want := range map[bool]string{true: `"x\x1b[31m\u009b\u202e,y"`, false: "\"x\x1b[31m\u009b\u202e,y\""} {
		var out bytes.Buffer
		if _, err := writeExport(ctx, &out, e, formatCSV, terminal); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("terminal %t: no %q, %v, in\n%q", terminal, want, err, out.String())
		}
	}
}

// An export that was interrupted leaves neither the file nor a part of it.
func TestInterruptedExportLeavesNoFile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "shop")
	config := filepath.Join(dir, defaultConfig)
	for _, line := range []string{"init " + dir, "ingest", "rate"} {
		call(t, append(strings.Fields(line), "--config", config, "--now", "2026-11-15T12:00:00Z")...)
	}
	out := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	a := &app{name: "creditmill", stdout: io.Discard, stderr: io.Discard, clock: time.Now}
	if code := a.run(ctx, []string{"export", "rated", "--config", config, "--to", filepath.Join(out, "rated.csv")}); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	left, err := os.ReadDir(out)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A file that somebody else has made meanwhile is not replaced, and what was written
// goes away.
func TestExportReplacesNothingUnasked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "out.csv")
	for _, force := range []bool{false, true} {
		file, err := createFile(path, force)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteString("mine"); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("theirs"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = file.keep()
		if (err == nil) != force {
			t.Errorf("force %t: %v", force, err)
		}
		if err := file.discard(); err != nil {
			t.Error(err)
		}
		content, err := os.ReadFile(path)
		if want := map[bool]string{false: "theirs", true: "mine"}[force]; err != nil || string(content) != want {
			t.Errorf("force %t: the file holds %q, %v", force, content, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
			t.Errorf("force %t: there are %v, %v", force, left, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}
