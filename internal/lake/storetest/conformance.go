// Package storetest holds what every lake.Store must keep to, as one suite of
// tests, and a store that fails on purpose.
package storetest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/creditmill/creditmill/internal/lake"
)

// Run checks a kind of store; open returns an empty one.
func Run(t *testing.T, open func(t *testing.T) lake.Store) {
	t.Run("CreateIfAbsent", func(t *testing.T) { createIfAbsent(t, open(t)) })
	t.Run("OneOfManyWritersWins", func(t *testing.T) { oneWriterWins(t, open(t)) })
	t.Run("UploadAndRead", func(t *testing.T) { uploadAndRead(t, open(t)) })
	t.Run("LargeFile", func(t *testing.T) { largeFile(t, open(t)) })
	t.Run("FetchAtOnce", func(t *testing.T) { fetchAtOnce(t, open(t)) })
	t.Run("List", func(t *testing.T) { list(t, open(t)) })
	t.Run("ListOfManyPages", func(t *testing.T) { listManyPages(t, open(t)) })
	t.Run("OddKeys", func(t *testing.T) { oddKeys(t, open(t)) })
	t.Run("HiddenKeys", func(t *testing.T) { hiddenKeys(t, open(t)) })
	t.Run("Copy", func(t *testing.T) { copies(t, open(t), open(t)) })
	t.Run("CopyOfALargeFile", func(t *testing.T) { copyLarge(t, open(t), open(t)) })
	t.Run("CopyAtOnce", func(t *testing.T) { copyAtOnce(t, open(t)) })
	t.Run("Delete", func(t *testing.T) { remove(t, open(t)) })
	t.Run("Identity", func(t *testing.T) { identity(t, open(t)) })
	t.Run("KeysStayBelowTheRoot", func(t *testing.T) { keysStayBelow(t, open(t)) })
}

func mustCreate(t *testing.T, s lake.Store, key, content string) {
	t.Helper()
	if err := s.CreateIfAbsent(t.Context(), key, []byte(content)); err != nil {
		t.Fatal(err)
	}
}

func wantContent(t *testing.T, s lake.Store, key, want string) {
	t.Helper()
	got, err := lake.ReadAll(t.Context(), s, key)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q, %v; want %q", key, got, err, want)
	}
}

func createIfAbsent(t *testing.T, s lake.Store) {
	mustCreate(t, s, "runs/1.json", "first")
	if err := s.CreateIfAbsent(t.Context(), "runs/1.json", []byte("second")); !errors.Is(err, lake.ErrExists) {
		t.Errorf("a second create gives %v, want ErrExists", err)
	}
	wantContent(t, s, "runs/1.json", "first")
	mustCreate(t, s, "runs/empty", "")
	wantContent(t, s, "runs/empty", "")
}

func oneWriterWins(t *testing.T, s lake.Store) {
	const writers = 32
	outcomes := make([]error, writers)
	var ready, done sync.WaitGroup
	ready.Add(writers)
	for i := range writers {
		done.Go(func() {
			ready.Done()
			ready.Wait() // all at once
			outcomes[i] = s.CreateIfAbsent(t.Context(), "runs/0000000001.json", fmt.Appendf(nil, "writer %d", i))
		})
	}
	done.Wait()
	winner := slices.Index(outcomes, nil)
	for i, err := range outcomes {
		if i != winner && !errors.Is(err, lake.ErrExists) {
			t.Errorf("writer %d: %v, want ErrExists", i, err)
		}
	}
	if winner < 0 {
		t.Fatal("no writer won")
	}
	wantContent(t, s, "runs/0000000001.json", fmt.Sprintf("writer %d", winner))
}

func uploadAndRead(t *testing.T, s lake.Store) {
	file := filepath.Join(t.TempDir(), "out.parquet")
	if err := os.WriteFile(file, []byte("PAR1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Upload(t.Context(), "data/usage/day=2026-10-01/x.parquet", file); err != nil {
		t.Fatal(err)
	}
	wantContent(t, s, "data/usage/day=2026-10-01/x.parquet", "PAR1")
	local, err := s.Fetch(t.Context(), "data/usage/day=2026-10-01/x.parquet")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(local); err != nil || string(got) != "PAR1" {
		t.Errorf("the fetched file holds %q, %v", got, err)
	}
	if r, err := s.Open(t.Context(), "data/none"); !errors.Is(err, lake.ErrNotFound) {
		t.Errorf("opening what is not there gives %v, %v; want ErrNotFound", r, err)
	}
}

// largeSize is more than a store sends in one piece.
const largeSize = 21<<20 + 12345

// writeLarge writes a file of largeSize bytes and returns their SHA-256.
func writeLarge(t *testing.T, file string) []byte {
	t.Helper()
	random := rand.NewChaCha8([32]byte{1})
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.New()
	_, err = io.CopyN(io.MultiWriter(out, hash), random, largeSize)
	if err = errors.Join(err, out.Close()); err != nil {
		t.Fatal(err)
	}
	return hash.Sum(nil)
}

func largeFile(t *testing.T, s lake.Store) {
	file := filepath.Join(t.TempDir(), "large.parquet")
	want := writeLarge(t, file)
	if err := s.Upload(t.Context(), "data/large.parquet", file); err != nil {
		t.Fatal(err)
	}
	r, err := s.Open(t.Context(), "data/large.parquet")
	if err != nil {
		t.Fatal(err)
	}
	wantHash(t, "the object", r, want)
	local, err := s.Fetch(t.Context(), "data/large.parquet")
	if err != nil {
		t.Fatal(err)
	}
	fetched, err := os.Open(local)
	if err != nil {
		t.Fatal(err)
	}
	wantHash(t, "the fetched file", fetched, want)
}

func wantHash(t *testing.T, what string, r io.ReadCloser, want []byte) {
	t.Helper()
	hash := sha256.New()
	n, err := io.Copy(hash, r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if n != largeSize || !bytes.Equal(hash.Sum(nil), want) {
		t.Errorf("%s has %d bytes of %d, or others", what, n, largeSize)
	}
}

// Many may want one object at once, and several objects: each gets a whole file.
func fetchAtOnce(t *testing.T, s lake.Store) {
	const objects, readers = 4, 8
	content := func(i int) string { return strings.Repeat(fmt.Sprint(i), 100_000) }
	for i := range objects {
		mustCreate(t, s, fmt.Sprintf("data/%d", i), content(i))
	}
	var group errgroup.Group
	for n := range objects * readers {
		group.Go(func() error {
			i := n % objects
			local, err := s.Fetch(t.Context(), fmt.Sprintf("data/%d", i))
			if err != nil {
				return err
			}
			got, err := os.ReadFile(local)
			if err == nil && string(got) != content(i) {
				err = fmt.Errorf("the fetched file of object %d has %d bytes, or others", i, len(got))
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if local, err := s.Fetch(t.Context(), "data/none"); err == nil {
		if _, err := os.Stat(local); err == nil {
			t.Error("what is not there was fetched")
		}
	}
}

func mustCopy(t *testing.T, s lake.Store, key string, from lake.Place) {
	t.Helper()
	if _, err := s.Copy(t.Context(), key, from); err != nil {
		t.Fatal(err)
	}
}

// An object is copied within its store and into another; what the one becomes later is
// nothing to the other.
func copies(t *testing.T, s, other lake.Store) {
	const odd = "data/day=2026-10-01/ümläut + 50% & \"more\".parquet"
	mustCreate(t, s, odd, "original")
	place := lake.Place{Store: s.String(), Key: odd, Bytes: 8}
	for _, store := range []lake.Store{s, other} {
		for range 2 { // again changes nothing
			mustCopy(t, store, "published/"+odd, place)
			wantContent(t, store, "published/"+odd, "original")
		}
		mustCreate(t, store, "published/old", "older and longer")
		mustCopy(t, store, "published/old", place)
		wantContent(t, store, "published/old", "original")
		if got := listed(t, store, "published/"); !slices.Equal(got, []string{"published/" + odd, "published/old"}) {
			t.Errorf("listed %q", got)
		}
	}
	if err := s.Delete(t.Context(), odd); err != nil {
		t.Fatal(err)
	}
	for _, store := range []lake.Store{s, other} {
		wantContent(t, store, "published/"+odd, "original")
		if _, err := store.Copy(t.Context(), "published/new", place); !errors.Is(err, lake.ErrNotFound) {
			t.Errorf("the copy of what is gone gives %v, want ErrNotFound", err)
		}
		if _, err := store.Copy(t.Context(), "../out", lake.Place{Store: s.String(), Key: "published/old", Bytes: 8}); err == nil {
			t.Error("copied to ../out")
		}
	}
}

func copyLarge(t *testing.T, s, other lake.Store) {
	file := filepath.Join(t.TempDir(), "large.parquet")
	want := writeLarge(t, file)
	if err := s.Upload(t.Context(), "data/large.parquet", file); err != nil {
		t.Fatal(err)
	}
	mustCopy(t, other, "copy.parquet", lake.Place{Store: s.String(), Key: "data/large.parquet", Bytes: largeSize})
	r, err := other.Open(t.Context(), "copy.parquet")
	if err != nil {
		t.Fatal(err)
	}
	wantHash(t, "the copy", r, want)
}

// Many may copy one object to one key at once: whoever reads it finds it whole.
func copyAtOnce(t *testing.T, s lake.Store) {
	content := strings.Repeat("x", 100_000)
	mustCreate(t, s, "data/x", content)
	mustCopy(t, s, "copy", lake.Place{Store: s.String(), Key: "data/x", Bytes: int64(len(content))})
	var group errgroup.Group
	for i := range 16 {
		group.Go(func() error {
			if i%2 == 0 {
				_, err := s.Copy(t.Context(), "copy", lake.Place{Store: s.String(), Key: "data/x", Bytes: int64(len(content))})
				return err
			}
			got, err := lake.ReadAll(t.Context(), s, "copy")
			if err == nil && string(got) != content {
				err = fmt.Errorf("the copy has %d bytes, or others", len(got))
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if got := listed(t, s, ""); !slices.Equal(got, []string{"copy", "data/x"}) {
		t.Errorf("listed %q", got)
	}
}

func listManyPages(t *testing.T, s lake.Store) {
	const objects = 1500 // S3 lists 1,000 at a time
	var group errgroup.Group
	group.SetLimit(16)
	for i := range objects {
		group.Go(func() error {
			return s.CreateIfAbsent(t.Context(), fmt.Sprintf("logs/%d/%04d.jsonl", i%3, i), []byte("x"))
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	keys := listed(t, s, "logs/")
	if len(keys) != objects || !slices.IsSorted(keys) || len(slices.Compact(keys)) != objects {
		t.Errorf("listed %d objects of %d, or not in order, or some twice", len(keys), objects)
	}
	for object, err := range s.List(t.Context(), "logs/") { // who stops early is not troubled
		if err != nil || object.Key != "logs/0/0000.jsonl" {
			t.Errorf("first listed %q, %v", object.Key, err)
		}
		break
	}
}

func listed(t *testing.T, s lake.Store, prefix string) []string {
	t.Helper()
	var keys []string
	for object, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, object.Key)
	}
	return keys
}

func oddKeys(t *testing.T, s lake.Store) {
	keys := []string{
		"odd/a b.jsonl", "odd/a%20b.jsonl", "odd/a%2Fb.jsonl", "odd/a+b.jsonl", "odd/a=b&c;d.jsonl", "odd/day=2026-10-01/x.parquet",
		"odd/per%.jsonl", "odd/q?x#y.jsonl", "odd/quote'\"$(x)<y>.jsonl", "odd/tilde~!*().jsonl", "odd/ümläut/東京 🌍.jsonl",
	}
	for _, key := range keys {
		mustCreate(t, s, key, key)
	}
	slices.Sort(keys)
	if got := listed(t, s, "odd/"); !slices.Equal(got, keys) {
		t.Errorf("listed %q, want %q", got, keys)
	}
	if got := listed(t, s, "odd/a+"); !slices.Equal(got, []string{"odd/a+b.jsonl"}) {
		t.Errorf("under a+: %q", got)
	}
	for _, key := range keys {
		wantContent(t, s, key, key)
		if err := s.CreateIfAbsent(t.Context(), key, []byte("again")); !errors.Is(err, lake.ErrExists) {
			t.Errorf("a second create of %q gives %v", key, err)
		}
		if err := s.Delete(t.Context(), key); err != nil {
			t.Error(err)
		}
	}
	if got := listed(t, s, ""); len(got) != 0 {
		t.Errorf("left after delete: %q", got)
	}
}

// What is hidden in a folder is so everywhere: the same logs give the same rows.
func hiddenKeys(t *testing.T, s lake.Store) {
	for _, key := range []string{".hidden", "a/.tmp-1", "a/.staging/part-1", "a/shown"} {
		mustCreate(t, s, key, "x")
	}
	for _, prefix := range []string{"", "a/"} {
		if got := listed(t, s, prefix); !slices.Equal(got, []string{"a/shown"}) {
			t.Errorf("List(%q) = %q", prefix, got)
		}
	}
}

func list(t *testing.T, s lake.Store) {
	keys := []string{"a-b", "a/b", "a/b.c/d", "a/bc", "b/ü", "runs/0000000001.json"}
	for _, key := range keys {
		mustCreate(t, s, key, "12345")
	}
	for prefix, want := range map[string][]string{
		"": keys, "a": keys[:4], "a/": keys[1:4], "a/b": keys[1:4], "a/b.c/": keys[2:3], "zz": nil, "runs/0000000001": keys[5:], "none/of/these": nil,
	} {
		var got []string
		for object, err := range s.List(t.Context(), prefix) {
			if err != nil {
				t.Fatal(err)
			}
			if object.Bytes != 5 {
				t.Errorf("%s has %d bytes, want 5", object.Key, object.Bytes)
			}
			got = append(got, object.Key)
		}
		if !slices.Equal(got, want) {
			t.Errorf("List(%q) = %q, want %q: byte order, nothing else", prefix, got, want)
		}
	}
}

func remove(t *testing.T, s lake.Store) {
	mustCreate(t, s, "data/x", "x")
	for range 2 { // what is gone already is no error
		if err := s.Delete(t.Context(), "data/x"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Open(t.Context(), "data/x"); !errors.Is(err, lake.ErrNotFound) {
		t.Errorf("after delete: %v, want ErrNotFound", err)
	}
}

func identity(t *testing.T, s lake.Store) {
	mustCreate(t, s, "log/a", "one")
	mustCreate(t, s, "log/b", "two")
	of := func(key string) string {
		id, err := s.Identity(t.Context(), lake.Object{Key: key, Bytes: 3})
		if err != nil || id == "" {
			t.Fatalf("identity of %s: %q, %v", key, id, err)
		}
		for object, err := range s.List(t.Context(), key) {
			if err != nil {
				t.Fatal(err)
			}
			if asListed, err := s.Identity(t.Context(), object); err != nil || asListed != id {
				t.Errorf("identity of %s is %s, as listed %s, %v", key, id, asListed, err)
			}
		}
		return id
	}
	first := of("log/a")
	if of("log/a") != first {
		t.Error("one content, two identities")
	}
	if of("log/b") == first {
		t.Error("two contents of one length, one identity")
	}
}

func keysStayBelow(t *testing.T, s lake.Store) {
	for _, key := range []string{"../out", "/etc/passwd", "a/../../out", ""} {
		if err := s.CreateIfAbsent(t.Context(), key, []byte("x")); err == nil {
			t.Errorf("created %q", key)
		}
		if r, err := s.Open(t.Context(), key); err == nil {
			_, _ = io.Copy(io.Discard, r)
			t.Errorf("opened %q", key)
		}
	}
}
