package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// verifyWorld looks whether a world's lake is right, and the same when it is made anew.
func verifyWorld(t *testing.T, config string) {
	t.Helper()
	for _, args := range [][]string{{}, {"--rebuild", filepath.Join(filepath.Dir(config), "anew")}} {
		out, code := tryCall(t, append([]string{"verify", "--config", config}, args...)...)
		if code != exitDone || !strings.Contains(out, "Everything is as it should be.") || strings.Contains(out, "skipped") {
			t.Errorf("verify %v: exit code %d\n%s", args, code, out)
		}
	}
}
