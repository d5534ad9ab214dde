package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// An address that another process has is told with what to do, before any job runs.
func TestScheduleNeedsItsAddress(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "shop")
	call(t, "init", dir)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cmd := exec.Command("creditmill", "schedule", "--config", filepath.Join(dir, defaultConfig), "--listen", taken.Addr().String())
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != exitUsage {
		t.Errorf("%v, want exit code %d", err, exitUsage)
	}
	for _, want := range []string{"creditmill: error: --listen " + taken.Addr().String(), "address already in use", "creditmill: hint: give another address with --listen"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the output does not say %q:\n%s", want, out)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "lake")); err == nil {
		t.Error("there is a lake although nothing ran")
	}
}

// schedule catches up at its start and stops cleanly when it is asked to.
func TestScheduleCatchesUpAndStops(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "shop")
	call(t, "init", dir)
	config := filepath.Join(dir, defaultConfig)
	// Without it the month before could not be closed in the first hours of a month.
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, bytes.Replace(text, []byte("grace: 6h"), []byte("grace: 0h"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	// The sample's calls are of the month before: that logs arrive still shows that the clock is right.
	today := fmt.Sprintf(`{"request_id":"today","ts":%q,"org":"acme","op":"image.generate"}`, time.Now().UTC().Format(time.RFC3339))
	if err := os.WriteFile(filepath.Join(dir, "raw", "gateway", "today.jsonl"), []byte(today+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("creditmill", "schedule", "--config", config, "--json", "--listen", "127.0.0.1:0")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timeout := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer timeout.Stop()
	var log strings.Builder
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		log.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), `"msg":"job done","job":"close"`) { // once: a second signal would end it at once
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("schedule: %v\n%s", err, log.String())
	}
	for _, want := range []string{`"msg":"listening","address":"127.0.0.1:`, `"job":"ingest"`, `"job":"rate"`, `"msg":"stopped"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %s:\n%s", want, log.String())
		}
	}
	// The month before was over, and nothing stood in the way.
	if out := call(t, "status", "--config", config, "--json"); !strings.Contains(out, `"kind": "close"`) {
		t.Errorf("the schedule closed nothing:\n%s\n%s", out, log.String())
	}
}
