package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

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
	cmd := exec.Command("creditmill", "schedule", "--config", config, "--json")
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
		if strings.Contains(lines.Text(), `"job":"close"`) {
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("schedule: %v\n%s", err, log.String())
	}
	for _, want := range []string{`"job":"ingest"`, `"job":"rate"`, `"msg":"stopped"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %s:\n%s", want, log.String())
		}
	}
	// The month before was over, and nothing stood in the way.
	if out := call(t, "status", "--config", config, "--json"); !strings.Contains(out, `"kind": "close"`) {
		t.Errorf("the schedule closed nothing:\n%s\n%s", out, log.String())
	}
}
