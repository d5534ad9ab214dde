package config_test

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/creditmill/creditmill/internal/config"
)

// What is no regular file matches no pattern: a pipe that nobody writes to, or a
// device without end, would stop every command.
func TestPatternsMatchRegularFilesAlone(t *testing.T) {
	folder(t, map[string]string{"creditmill.yaml": minimal, "sources/a.yaml": "source: a\n", "sources/folder.yaml/x": "", "elsewhere/b.yaml": "source: b\n"})
	if err := syscall.Mkfifo("sources/pipe.yaml", 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"sources/device.yaml": "/dev/zero", "sources/loop.yaml": "loop.yaml", "sources/link.yaml": "../elsewhere/b.yaml"} {
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	_, p := config.Load(".")
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "loop.yaml") {
		t.Errorf("a link that leads nowhere: %v", err)
	}
	if err := os.Remove("sources/loop.yaml"); err != nil {
		t.Fatal(err)
	}
	c, p := config.Load(".")
	must(t, c, p)
	var read []string
	for _, file := range c.Sources {
		read = append(read, file.Path)
	}
	if got := strings.Join(read, " "); got != "sources/a.yaml sources/link.yaml" {
		t.Errorf("read %s", got)
	}
}
