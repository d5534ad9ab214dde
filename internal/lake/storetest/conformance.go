// Package storetest holds what every lake.Store must keep to, as one suite of
// tests, and a store that fails on purpose.
package storetest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
)

// Run checks a kind of store; open returns an empty one.
func Run(t *testing.T, open func(t *testing.T) lake.Store) {
	t.Run("CreateIfAbsent", func(t *testing.T) { createIfAbsent(t, open(t)) })
	t.Run("OneOfManyWritersWins", func(t *testing.T) { oneWriterWins(t, open(t)) })
	t.Run("UploadAndRead", func(t *testing.T) { uploadAndRead(t, open(t)) })
	t.Run("List", func(t *testing.T) { list(t, open(t)) })
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
