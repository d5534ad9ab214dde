package lake_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
)

// openS3 opens an empty store in the bucket of the server that the environment names.
func openS3(t *testing.T, server *storetest.S3Server, prefix string, o lake.S3Options) *lake.S3 {
	t.Helper()
	o.Fetched, o.PartBytes, o.CopyBytes = t.TempDir(), 5<<20, 10<<20
	if o.Backoff == 0 {
		o.Backoff = 5 * time.Millisecond
	}
	store, err := lake.NewS3(t.Context(), server.Bucket, prefix, o)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestS3(t *testing.T) {
	server := storetest.StartS3(t)
	storetest.SetEnvironment(t, server.Endpoint)
	storetest.Run(t, func(t *testing.T) lake.Store { return openS3(t, server, lake.NewRunID(), lake.S3Options{}) })
}

func openThrough(t *testing.T, server *storetest.S3Server, fault func(*http.Request) storetest.Fault, o lake.S3Options) (*lake.S3, *storetest.Proxy) {
	t.Helper()
	proxy := storetest.NewProxy(t, server.Endpoint)
	proxy.Fault = fault
	storetest.SetEnvironment(t, proxy.URL)
	return openS3(t, server, lake.NewRunID(), o), proxy
}

// impatient takes a stalled answer for lost well before the proxy goes on.
var impatient = lake.S3Options{Timeout: 250 * time.Millisecond, Attempts: 10}

// One request in ten is refused, broken, lost after it was applied, or stalled; all
// that a store promises holds.
func TestS3OverABadNetwork(t *testing.T) {
	server := storetest.StartS3(t)
	proxy := storetest.NewProxy(t, server.Endpoint)
	proxy.Fault = storetest.OneInTen()
	storetest.SetEnvironment(t, proxy.URL)
	storetest.Run(t, func(t *testing.T) lake.Store { return openS3(t, server, lake.NewRunID(), impatient) })
	for fault := storetest.Refused; fault <= storetest.Conflict; fault++ {
		if proxy.Count(fault) == 0 {
			t.Errorf("fault %d never happened", fault)
		}
	}
}

// Commits in a row through a bad network: each is done exactly once.
func TestCommitsOverABadNetwork(t *testing.T) {
	store, proxy := openThrough(t, storetest.StartS3(t), storetest.OneInTen(), impatient)
	const runs = 60
	l := open(t, store)
	var ids []string
	for range runs {
		run := lake.Run{ID: lake.NewRunID(), Kind: lake.Ingest}
		if err := l.Commit(t.Context(), &run); err != nil {
			t.Fatalf("commit %d: %v", run.Number, err)
		}
		ids = append(ids, run.ID)
	}
	proxy.Fault = nil
	wantRuns(t, store, ids)
}

func wantRuns(t *testing.T, store lake.Store, ids []string) {
	t.Helper()
	var got []string
	whole, err := lake.OpenWhole(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range whole.State().Since(0) {
		got = append(got, run.ID)
	}
	if !slices.Equal(got, ids) {
		t.Errorf("the log has %d runs, %d were committed, or others", len(got), len(ids))
	}
}

// 32 processes race for every number, over a good network and over a bad one: one
// wins each, the others go on after it, and none is lost or doubled.
func TestThirtyTwoWritersCommitOnceEach(t *testing.T) {
	server := storetest.StartS3(t)
	for name, fault := range map[string]func(*http.Request) storetest.Fault{"good": nil, "bad": storetest.OneInTen()} {
		t.Run(name, func(t *testing.T) {
			store, proxy := openThrough(t, server, fault, impatient)
			const writers = 32
			ids, numbers := make([]string, writers), make([]int64, writers)
			var group errgroup.Group
			for i := range writers {
				l := open(t, store)
				group.Go(func() error {
					for {
						run := lake.Run{ID: lake.NewRunID(), Kind: lake.Ingest}
						switch err := l.Commit(t.Context(), &run); {
						case err == nil:
							ids[i], numbers[i] = run.ID, run.Number
							return nil
						case !errors.Is(err, lake.ErrLost):
							return err
						}
						if _, err := l.Refresh(t.Context()); err != nil {
							return err
						}
					}
				})
			}
			if err := group.Wait(); err != nil {
				t.Fatal(err)
			}
			proxy.Fault = nil
			inOrder := make([]string, writers)
			for i, number := range numbers {
				if number < 1 || number > writers || inOrder[number-1] != "" {
					t.Fatalf("writer %d committed run %d of %d, or one that another has committed", i, number, writers)
				}
				inOrder[number-1] = ids[i]
			}
			wantRuns(t, store, inOrder)
		})
	}
}

// The answer to the winner's request is lost, and its second attempt is refused,
// for the object is there: it has won all the same. Who finds other bytes has lost.
func TestAConditionalWriteWhoseAnswerIsLost(t *testing.T) {
	lose := int64(0)
	fault := func(r *http.Request) storetest.Fault {
		if r.Method == http.MethodPut && atomic.AddInt64(&lose, -1) >= 0 {
			return storetest.Lost
		}
		return storetest.NoFault
	}
	store, proxy := openThrough(t, storetest.StartS3(t), fault, lake.S3Options{})

	atomic.StoreInt64(&lose, 1)
	if err := store.CreateIfAbsent(t.Context(), "runs/1", []byte("mine")); err != nil {
		t.Errorf("created, but the answer was lost: %v", err)
	}
	atomic.StoreInt64(&lose, 1)
	if err := store.CreateIfAbsent(t.Context(), "runs/1", []byte("yours")); !errors.Is(err, lake.ErrExists) {
		t.Errorf("another has the key, and an answer was lost: %v, want ErrExists", err)
	}
	puts := 0
	for _, r := range proxy.Seen() {
		if r.Method != http.MethodPut {
			continue
		}
		puts++
		if got := r.Header.Get("If-None-Match"); got != "*" {
			t.Errorf("conditional write with If-None-Match %q", got)
		}
		if r.Header.Get("Content-Md5") == "" || r.Header.Get("X-Amz-Content-Sha256") == "UNSIGNED-PAYLOAD" {
			t.Errorf("a body that the store cannot check: %v", r.Header)
		}
		for name := range r.Header {
			if strings.HasPrefix(name, "X-Amz-Checksum") || strings.HasPrefix(name, "X-Amz-Sdk-Checksum") || name == "X-Amz-Trailer" {
				t.Errorf("header %s, which other servers than S3 do not know", name)
			}
		}
	}
	if puts != 4 {
		t.Errorf("%d writes, want 4", puts)
	}

	// Every answer is lost: it is not known, and not taken for lost.
	atomic.StoreInt64(&lose, 1000)
	if err := store.CreateIfAbsent(t.Context(), "runs/2", []byte("mine")); err == nil || errors.Is(err, lake.ErrExists) {
		t.Errorf("no answer at all gives %v", err)
	}
}

// 409 says that another write is under way, not who wins.
func TestAConflictIsTriedAgain(t *testing.T) {
	first := true
	store, proxy := openThrough(t, storetest.StartS3(t), func(r *http.Request) storetest.Fault {
		if r.Method == http.MethodPut && first {
			first = false
			return storetest.Conflict
		}
		return storetest.NoFault
	}, lake.S3Options{})
	if err := store.CreateIfAbsent(t.Context(), "runs/1", []byte("mine")); err != nil {
		t.Error(err)
	}
	if proxy.Count(storetest.Conflict) != 1 {
		t.Error("there was no conflict")
	}
}

// A server before the store may send a request twice. The store then refuses the
// second, and its refusal is all that the writer hears: the manifest says whose it is.
func TestACommitSentTwiceOnTheWayIsDone(t *testing.T) {
	server := storetest.StartS3(t)
	twice := false
	store, _ := openThrough(t, server, func(r *http.Request) storetest.Fault {
		if r.Method == http.MethodPut && twice {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			again := r.Clone(t.Context())
			again.Body, again.RequestURI = io.NopCloser(bytes.NewReader(body)), ""
			again.URL.Scheme, again.URL.Host, again.Host = "http", strings.TrimPrefix(server.Endpoint, "http://"), r.Host
			response, err := http.DefaultClient.Do(again)
			if err != nil || response.StatusCode != http.StatusOK {
				t.Errorf("sent the first time: %v, %v", response, err)
			} else {
				_ = response.Body.Close()
			}
		}
		return storetest.NoFault
	}, lake.S3Options{})
	l := open(t, store)
	twice = true
	run := lake.Run{ID: lake.NewRunID(), Kind: lake.Ingest}
	if err := l.Commit(t.Context(), &run); err != nil {
		t.Error(err)
	}
	wantRuns(t, store, []string{run.ID})
}

// Files of a run that will not be committed go also after the command was
// interrupted.
func TestDiscardAfterAnInterrupt(t *testing.T) {
	server := storetest.StartS3(t)
	storetest.SetEnvironment(t, server.Endpoint)
	store := openS3(t, server, lake.NewRunID(), lake.S3Options{})
	l, err := lake.Open(t.Context(), store, nil)
	if err != nil {
		t.Fatal(err)
	}
	var files []lake.File
	for _, key := range []string{"data/a", "data/b", "data/c"} {
		if err := store.CreateIfAbsent(t.Context(), key, []byte(key)); err != nil {
			t.Fatal(err)
		}
		files = append(files, lake.File{Path: key})
	}
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	l.Discard(interrupted, append(files, lake.File{})) // one was never uploaded
	for object, err := range store.List(t.Context(), "") {
		t.Errorf("%s is left, %v", object.Key, err)
	}
}
