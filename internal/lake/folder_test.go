package lake_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
)

func newFolder(t *testing.T) *lake.Folder {
	t.Helper()
	folder, err := lake.NewFolder(filepath.Join(t.TempDir(), "not", "there", "yet"))
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestFolder(t *testing.T) {
	storetest.Run(t, func(t *testing.T) lake.Store { return newFolder(t) })
}

func TestFolderShowsOnlyRegularVisibleFiles(t *testing.T) {
	root := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret")
	for path, content := range map[string]string{
		outside: "s", filepath.Join(root, "a.jsonl"): "{}", filepath.Join(root, ".hidden"): "h", filepath.Join(root, ".tmp", "b"): "h",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	folder, err := lake.NewFolder(root)
	if err != nil {
		t.Fatal(err)
	}
	for object, err := range folder.List(t.Context(), "") {
		if err != nil || object.Key != "a.jsonl" {
			t.Errorf("listed %q, %v", object.Key, err)
		}
	}
}
