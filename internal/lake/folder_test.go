package lake_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
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

// linked makes a folder with an object and links of all kinds below it, and returns
// the key of each, by kind, that leads to a file named x in a folder outside.
func linked(t *testing.T) (root, outside string, keys []string) {
	t.Helper()
	root, outside = t.TempDir(), t.TempDir()
	for path, content := range map[string]string{
		filepath.Join(outside, "x"): "secret", filepath.Join(outside, "deep", "x"): "secret",
		filepath.Join(root, "a"): "{}", filepath.Join(root, "dir", "b"): "{}", filepath.Join(root, "in", "x"): "inside",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	relative, err := filepath.Rel(root, outside)
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{
		"file": filepath.Join(outside, "x"), "folder": outside, "dir/middle": outside, "relative": relative, "inner": "in", "dir/inner": "../in/x", "dangling": filepath.Join(outside, "none"), "loop": "loop",
	} {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	return root, outside, []string{"file", "folder/x", "folder/deep/x", "folder/new/y", "dir/middle/x", "dir/middle/deep/x", "relative/x", "inner/x", "dir/inner", "dangling", "loop", "loop/x"}
}

func TestFolderFollowsNoLinkBelowIt(t *testing.T) {
	t.Parallel()
	root, outside, keys := linked(t)
	folder, err := lake.NewFolder(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		upload := filepath.Join(t.TempDir(), "upload")
		if err := os.WriteFile(upload, []byte("uploaded"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, opened := folder.Open(t.Context(), key)
		_, identified := folder.Identity(t.Context(), lake.Object{Key: key, Bytes: 6})
		_, fetched := folder.Fetch(t.Context(), key)
		for operation, err := range map[string]error{
			"open": opened, "identity": identified, "fetch": fetched, "upload": folder.Upload(t.Context(), key, upload),
			"create": folder.CreateIfAbsent(t.Context(), key, []byte("created")), "delete": folder.Delete(t.Context(), key),
		} {
			if !errors.Is(err, lake.ErrLink) || !strings.Contains(err.Error(), root) {
				t.Errorf("%s %s: %v", operation, key, err)
			}
		}
	}
	for prefix, want := range map[string][]string{
		"": {"a", "dir/b", "in/x"}, "folder": nil, "folder/": nil, "folder/deep/": nil, "dir/": {"dir/b"}, "dir/middle/x": nil, "inner/": nil, "loop/": nil,
	} {
		var listed []string
		for object, err := range folder.List(t.Context(), prefix) {
			if err != nil {
				t.Fatal(err)
			}
			listed = append(listed, object.Key)
		}
		if !slices.Equal(listed, want) {
			t.Errorf("List(%q) = %q, want %q", prefix, listed, want)
		}
	}
	if links := folder.Links(); !slices.Equal(links, []string{"dangling", "dir/inner", "dir/middle", "file", "folder", "inner", "loop", "relative"}) {
		t.Errorf("links %q", links)
	}
	for name, want := range map[string]string{"x": "secret", "deep/x": "secret"} {
		if got, err := os.ReadFile(filepath.Join(outside, name)); err != nil || string(got) != want {
			t.Errorf("outside, %s is %q, %v", name, got, err)
		}
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 2 {
		t.Errorf("outside there are %v, %v", entries, err)
	}
}

// The folder that the configuration names may be a link itself, and the way to it.
func TestFolderMayBeALink(t *testing.T) {
	t.Parallel()
	there, links := t.TempDir(), t.TempDir()
	if err := errors.Join(os.Symlink(there, filepath.Join(links, "way")), os.Mkdir(filepath.Join(there, "real"), 0o755), os.Symlink("real", filepath.Join(there, "raw"))); err != nil {
		t.Fatal(err)
	}
	folder, err := lake.NewFolder(filepath.Join(links, "way", "raw"))
	if err != nil {
		t.Fatal(err)
	}
	if err := folder.CreateIfAbsent(t.Context(), "a/b", []byte("1")); err != nil {
		t.Fatal(err)
	}
	upload := filepath.Join(t.TempDir(), "upload")
	if err := errors.Join(os.WriteFile(upload, []byte("2"), 0o600), folder.Upload(t.Context(), "c/d", upload)); err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{"", "a/", "c/d"} {
		for object, err := range folder.List(t.Context(), prefix) {
			if err != nil {
				t.Fatal(err)
			}
			content, err := lake.ReadAll(t.Context(), folder, object.Key)
			if want := map[string]string{"a/b": "1", "c/d": "2"}[object.Key]; err != nil || want == "" || string(content) != want {
				t.Errorf("%s is %q, %v", object.Key, content, err)
			}
			path, err := folder.Fetch(t.Context(), object.Key)
			if fetched, readErr := os.ReadFile(path); err != nil || readErr != nil || string(fetched) != string(content) {
				t.Errorf("%s fetched is %q, %v, %v", object.Key, fetched, err, readErr)
			}
		}
	}
	for _, key := range []string{"a/b", "c/d"} {
		if err := folder.Delete(t.Context(), key); err != nil {
			t.Error(err)
		}
	}
	for object, err := range folder.List(t.Context(), "") {
		t.Errorf("%s is left, %v", object.Key, err)
	}
	if links := folder.Links(); len(links) != 0 {
		t.Errorf("links %q", links)
	}
}

// A link that is put in the place of a folder while an object is opened leads
// nowhere: what is read is the object, or nothing.
func TestFolderIsNotMisledByALinkSwappedIn(t *testing.T) {
	t.Parallel()
	root, outside := t.TempDir(), t.TempDir()
	must := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	for dir, content := range map[string]string{filepath.Join(root, "real"): "inside", filepath.Join(outside, "dir"): "secret"} {
		must(os.MkdirAll(dir, 0o755))
		must(os.WriteFile(filepath.Join(dir, "x"), []byte(content), 0o600))
		must(os.WriteFile(filepath.Join(dir, "gone"), []byte(content), 0o600))
	}
	must(os.Symlink(filepath.Join(outside, "dir"), filepath.Join(root, "link")))
	folder, err := lake.NewFolder(root)
	must(err)
	stop := make(chan struct{})
	var swapping sync.WaitGroup
	swapping.Go(func() { // dir is the folder, then the link, and so on
		for dir := filepath.Join(root, "dir"); ; {
			for _, name := range []string{"real", "link"} {
				must(os.Rename(filepath.Join(root, name), dir))
				must(os.Rename(dir, filepath.Join(root, name)))
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	read := 0
	for range 3000 {
		if content, err := lake.ReadAll(t.Context(), folder, "dir/x"); err == nil {
			read++
			if string(content) != "inside" {
				t.Fatalf("read %q", content)
			}
		}
		_ = folder.Delete(t.Context(), "dir/gone") // where dir is the link, it is refused
	}
	close(stop)
	swapping.Wait()
	if entries, err := os.ReadDir(filepath.Join(outside, "dir")); err != nil || len(entries) != 2 {
		t.Errorf("outside there are %v, %v", entries, err)
	}
	t.Logf("%d of 3000 were read", read)
}
