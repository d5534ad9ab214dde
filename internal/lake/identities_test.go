package lake_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
)

// TestFilesAreHashedOnce looks at the cache from outside: an identity that was put
// into it is believed, until the file changes.
func TestFilesAreHashedOnce(t *testing.T) {
	root, cache := t.TempDir(), filepath.Join(t.TempDir(), "deep", "identities")
	key := "log \n1"
	path := filepath.Join(root, key)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var later time.Duration
	identity := func(whole bool) string {
		t.Helper()
		folder, err := lake.NewFolder(root)
		if err != nil {
			t.Fatal(err)
		}
		identities := lake.OpenIdentities(cache, func() time.Time { return time.Now().Add(later) })
		folder.Remember(identities)
		id, err := folder.Identity(t.Context(), lake.Object{Key: key})
		if err != nil {
			t.Fatal(err)
		}
		if err := identities.Save(whole); err != nil {
			t.Fatal(err)
		}
		return id
	}
	write("one")
	one := identity(true)
	if kept, err := os.ReadFile(cache); err == nil && len(kept) > 100 {
		t.Errorf("a file changed just now is kept: %q", kept)
	}
	later = 3 * time.Second // the change must be old enough to be told from the next
	if identity(true) != one {
		t.Error("one content, two identities")
	}
	kept, err := os.ReadFile(cache)
	if err != nil {
		t.Fatal(err)
	}
	forged := regexp.MustCompile(`sha256:\w+`).ReplaceAll(kept, []byte("sha256:forged"))
	if err := os.WriteFile(cache, forged, 0o600); err != nil {
		t.Fatal(err)
	}
	if identity(false) == one {
		t.Error("the file was hashed again")
	}
	time.Sleep(50 * time.Millisecond) // more than a tick of the file system's clock
	write("two")                      // of the same length
	two := identity(false)
	if two == one || two == "sha256:forged" {
		t.Errorf("the file changed, its identity is %s", two)
	}
	for _, damaged := range []string{"", "other\n", string(kept[:len(kept)-3]), "creditmill identities 1\n1 2 x y \"z\"\n1 2\n"} {
		if err := os.WriteFile(cache, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := identity(false); got != two {
			t.Errorf("with the cache %q: %s, want %s", damaged, got, two)
		}
	}
}
