package lake_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
)

// A copy in a folder is a second name of the file, which takes no room and stays when
// the first goes.
func TestACopyInAFolderIsALink(t *testing.T) {
	folder, other := newFolder(t), newFolder(t)
	if err := folder.CreateIfAbsent(t.Context(), "data/a", []byte("bytes")); err != nil {
		t.Fatal(err)
	}
	for _, to := range []*lake.Folder{folder, other} {
		for range 2 {
			linked, err := to.Copy(t.Context(), "published/a", lake.Place{Store: folder.String(), Key: "data/a", Bytes: 5})
			if err != nil || !linked {
				t.Fatalf("linked %v, %v", linked, err)
			}
		}
		wantSame(t, filepath.Join(folder.String(), "data", "a"), filepath.Join(to.String(), "published", "a"), true)
	}
}

func wantSame(t *testing.T, a, b string, want bool) {
	t.Helper()
	first, err1 := os.Stat(a)
	second, err2 := os.Stat(b)
	if err1 != nil || err2 != nil || os.SameFile(first, second) != want {
		t.Errorf("%s and %s are the same file: want %v, %v, %v", a, b, want, err1, err2)
	}
}

// Where the file system refuses a link, on another device above all, the bytes are
// copied, and all that a store promises holds.
func TestAFolderCopiesWhereLinksAreRefused(t *testing.T) {
	for _, refusal := range []error{syscall.EXDEV, syscall.EPERM, syscall.EMLINK} {
		folder := newFolder(t)
		folder.RefuseLinks(&os.LinkError{Op: "link", Err: refusal})
		if err := folder.CreateIfAbsent(t.Context(), "data/a", []byte("bytes")); err != nil {
			t.Fatal(err)
		}
		linked, err := folder.Copy(t.Context(), "published/a", lake.Place{Store: folder.String(), Key: "data/a", Bytes: 5})
		if err != nil || linked {
			t.Errorf("%v: linked %v, %v", refusal, linked, err)
		}
		wantSame(t, filepath.Join(folder.String(), "data", "a"), filepath.Join(folder.String(), "published", "a"), false)
	}
	storetest.Run(t, func(t *testing.T) lake.Store {
		folder := newFolder(t)
		folder.RefuseLinks(&os.LinkError{Op: "link", Err: syscall.EXDEV})
		return folder
	})
}

func TestADamagedFileIsNotCopied(t *testing.T) {
	folder := newFolder(t)
	if err := folder.CreateIfAbsent(t.Context(), "data/a", []byte("byte")); err != nil {
		t.Fatal(err)
	}
	_, err := folder.Copy(t.Context(), "published/a", lake.Place{Store: folder.String(), Key: "data/a", Bytes: 5})
	if err == nil || !strings.Contains(err.Error(), "it has 4 bytes and should have 5: restore the file") {
		t.Errorf("the copy gives %v", err)
	}
}

// No link leads a copy to what lies elsewhere, and none leads it elsewhere.
func TestACopyFollowsNoSymbolicLink(t *testing.T) {
	folder, outside := newFolder(t), t.TempDir()
	if err := folder.CreateIfAbsent(t.Context(), "data/a", []byte("bytes")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("hides"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"published": outside, "data/secret": filepath.Join(outside, "secret")} {
		if err := os.Symlink(target, filepath.Join(folder.String(), name)); err != nil {
			t.Fatal(err)
		}
	}
	for key, from := range map[string]string{"published/a": "data/a", "b": "data/secret", "c": "published/secret"} {
		_, err := folder.Copy(t.Context(), key, lake.Place{Store: folder.String(), Key: from, Bytes: 5})
		if err == nil || !strings.Contains(err.Error(), "links below the folder are not followed") {
			t.Errorf("the copy of %s to %s gives %v", from, key, err)
		}
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 1 {
		t.Errorf("outside lie %v, %v", entries, err)
	}
}
