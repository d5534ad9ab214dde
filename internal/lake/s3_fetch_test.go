package lake_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
)

// hostileKeys are such as a bucket may have, for S3 takes any bytes.
var hostileKeys = []string{
	"../out", "../../etc/cron.d/out", "/etc/out", "//out", "a/../../out", "a/..", "..", ".", "a//b", "a/", "a/./b", `..\out`, `C:\out`, "~/out", "-rf", "%2e%2e/out", "a\x01b", "a\nb", "a\x7f\x1b[2J", "a\u202eb", "a*?[b]",
	"nul\x00byte", strings.Repeat("long/", 200) + "x", strings.Repeat("x", 1000), "\xff\xfe", "lock", ".tmp-x",
}

// Whatever the store calls its objects, they are fetched to files of the store's
// folder and nowhere else, and the file of each is its own.
func TestFetchWritesNowhereElse(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("list-type") {
			_, _ = io.WriteString(w, `<ListBucketResult><EncodingType>url</EncodingType>`)
			for _, key := range hostileKeys[:3] { // in no order: a store that misleads
				_, _ = fmt.Fprintf(w, "<Contents><Key>%s</Key><Size>1</Size><ETag>e</ETag></Contents>", url.QueryEscape("raw/"+key))
			}
			_, _ = io.WriteString(w, "</ListBucketResult>")
			return
		}
		w.Header().Set("ETag", `"e"`)
		_, _ = io.WriteString(w, r.URL.Path) // tells the objects apart
	}))
	defer server.Close()
	storetest.SetEnvironment(t, server.URL)
	around := t.TempDir()
	fetched := filepath.Join(around, "deep", "fetched")
	if err := os.MkdirAll(fetched, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(fetched)
	store, err := lake.NewS3(t.Context(), "logs", "raw", lake.S3Options{Fetched: fetched, Attempts: 1, Backoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	for object, err := range store.List(t.Context(), "") {
		if err == nil && strings.Contains(object.Key, "..") {
			t.Errorf("%q was listed", object.Key)
		}
	}
	files := map[string]string{}
	for _, key := range hostileKeys {
		path, err := store.Fetch(t.Context(), key)
		if err != nil {
			continue // refused
		}
		info, err := os.Lstat(path)
		if err != nil || filepath.Dir(path) != fetched || !info.Mode().IsRegular() || info.Mode().Perm() != 0o600 {
			t.Errorf("%q was fetched to %q, %v, %v", key, path, info, err)
		}
		if other, taken := files[path]; taken {
			t.Errorf("%q and %q were fetched to one file", key, other)
		}
		files[path] = key
	}
	for _, key := range []string{"../out", "../../etc/cron.d/out", "/etc/out", "//out", "a/../../out", "a/..", "..", ".", "a/./b"} {
		if path, err := store.Fetch(t.Context(), key); err == nil || !strings.Contains(err.Error(), "leads outside") {
			t.Errorf("%q: %q, %v", key, path, err)
		}
	}
	if len(files) < 10 {
		t.Errorf("%d were fetched", len(files))
	}
	err = filepath.WalkDir(around, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && files[path] == "" {
			t.Errorf("%s was written", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// In a folder the same keys lead nowhere but below it.
func TestFolderStaysBelowItsRoot(t *testing.T) {
	t.Parallel()
	around := t.TempDir()
	root := filepath.Join(around, "deep", "root")
	if err := os.MkdirAll(root, 0o755); err != nil {
		t.Fatal(err)
	}
	folder, err := lake.NewFolder(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range hostileKeys {
		created := folder.CreateIfAbsent(t.Context(), key, []byte("x"))
		path, fetched := folder.Fetch(t.Context(), key)
		if fetched == nil && !strings.HasPrefix(path, root+string(filepath.Separator)) {
			t.Errorf("%q was fetched to %q", key, path)
		}
		if slices.Contains(strings.Split(key, "/"), "..") && (created == nil || fetched == nil) {
			t.Errorf("%q: %v, %v", key, created, fetched)
		}
		if err := folder.Delete(t.Context(), key); created == nil && err != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
	err = filepath.WalkDir(around, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !strings.HasPrefix(path, root) {
			t.Errorf("%s was written", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
