package lake_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
)

// megabytes are n MiB that differ from each other and from those of another seed.
func megabytes(n int, seed byte) []byte {
	data := make([]byte, n<<20)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(data)
	return data
}

// put stores an object past the store under test.
func put(t *testing.T, server *storetest.S3Server, store *lake.S3, key string, data []byte, more ...func(*s3.PutObjectInput)) {
	t.Helper()
	bucketKey := strings.TrimPrefix(store.String(), "s3://"+server.Bucket+"/") + "/" + key
	input := &s3.PutObjectInput{Bucket: &server.Bucket, Key: &bucketKey, Body: bytes.NewReader(data)}
	for _, f := range more {
		f(input)
	}
	if _, err := server.Client().PutObject(t.Context(), input); err != nil {
		t.Fatal(err)
	}
}

// theFirst makes the first n reads of an object go wrong.
func theFirst(n int64, fault storetest.Fault) func(*http.Request) storetest.Fault {
	return func(r *http.Request) storetest.Fault {
		if r.Method == http.MethodGet && !r.URL.Query().Has("list-type") && atomic.AddInt64(&n, -1) >= 0 {
			return fault
		}
		return storetest.NoFault
	}
}

func TestABrokenReadGoesOnWhereItBroke(t *testing.T) {
	server := storetest.StartS3(t)
	for name, fault := range map[string]storetest.Fault{"broken": storetest.Broken, "stalled": storetest.Stalled} {
		t.Run(name, func(t *testing.T) {
			store, proxy := openThrough(t, server, theFirst(3, fault), impatient)
			want := megabytes(3, 1)
			put(t, server, store, "log", want)
			if got, err := lake.ReadAll(t.Context(), store, "log"); err != nil || !bytes.Equal(got, want) {
				t.Errorf("read %d bytes of %d, or others: %v", len(got), len(want), err)
			}
			seen := proxy.Seen()
			if len(seen) != 4 {
				t.Fatalf("%d requests, want 4", len(seen))
			}
			for _, r := range seen[1:] {
				if !strings.HasPrefix(r.Header.Get("Range"), "bytes=") || r.Header.Get("If-Match") == "" {
					t.Errorf("went on with Range %q and If-Match %q", r.Header.Get("Range"), r.Header.Get("If-Match"))
				}
			}
		})
	}
}

func TestAReadThatBreaksAgainAndAgainFails(t *testing.T) {
	server := storetest.StartS3(t)
	store, _ := openThrough(t, server, func(*http.Request) storetest.Fault { return storetest.Broken }, lake.S3Options{Attempts: 3})
	put(t, server, store, "log", megabytes(1, 1))
	if got, err := lake.ReadAll(t.Context(), store, "log"); !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), store.String()+"/log: the connection broke at byte") {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
}

// The object is replaced by one of the same length while it is read.
func TestTwoVersionsOfAnObjectAreNeverMixed(t *testing.T) {
	server := storetest.StartS3(t)
	var store *lake.S3
	reads := 0
	store, _ = openThrough(t, server, func(*http.Request) storetest.Fault {
		if reads++; reads == 1 {
			return storetest.Broken
		}
		put(t, server, store, "log", megabytes(2, 2))
		return storetest.NoFault
	}, lake.S3Options{})
	put(t, server, store, "log", megabytes(2, 1))
	got, err := lake.ReadAll(t.Context(), store, "log")
	if err == nil || !strings.Contains(err.Error(), "changed while it was being read") {
		t.Errorf("%v", err)
	}
	if !bytes.HasPrefix(megabytes(2, 1), got) {
		t.Error("what was read is not the beginning of the first version")
	}
}

// A log that says it is gzipped is read as it is stored: the source unpacks it.
func TestStoredEncodingIsLeftAlone(t *testing.T) {
	server := storetest.StartS3(t)
	storetest.SetEnvironment(t, server.Endpoint)
	store := openS3(t, server, "logs", lake.S3Options{})
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte("{}\n"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	put(t, server, store, "a.jsonl.gz", packed.Bytes(), func(i *s3.PutObjectInput) { i.ContentEncoding = aws.String("gzip") })
	if got, err := lake.ReadAll(t.Context(), store, "a.jsonl.gz"); err != nil || !bytes.Equal(got, packed.Bytes()) {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestFoldersThatConsolesDrawAreNoObjects(t *testing.T) {
	server := storetest.StartS3(t)
	storetest.SetEnvironment(t, server.Endpoint)
	store := openS3(t, server, "logs", lake.S3Options{})
	put(t, server, store, "", nil)
	put(t, server, store, "2026/", nil)
	put(t, server, store, "2026/a", []byte("x"))
	for object, err := range store.List(t.Context(), "") {
		if err != nil || object.Key != "2026/a" {
			t.Errorf("listed %q, %v", object.Key, err)
		}
	}
}

// A listing of any length asks the store for its pages and for nothing else.
func TestIdentitiesOfAListingCostNoRequests(t *testing.T) {
	server := storetest.StartS3(t)
	store, proxy := openThrough(t, server, nil, lake.S3Options{})
	for _, key := range []string{"a", "b", "c"} {
		put(t, server, store, key, []byte(key))
	}
	identities := map[string]bool{}
	for object, err := range store.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		identity, err := store.Identity(t.Context(), object)
		if err != nil {
			t.Fatal(err)
		}
		identities[identity] = true
	}
	if len(identities) != 3 || len(proxy.Seen()) != 1 {
		t.Errorf("%d identities of 3 in %d requests, want 1", len(identities), len(proxy.Seen()))
	}
	if r := proxy.Seen()[0]; r.URL.Path != "/"+server.Bucket && r.URL.Path != "/"+server.Bucket+"/" {
		t.Errorf("the bucket is not in the path: %s", r.URL)
	}
}

func TestAnObjectIsFetchedOnceAndWhole(t *testing.T) {
	server := storetest.StartS3(t)
	store, proxy := openThrough(t, server, theFirst(1, storetest.Broken), impatient)
	want := megabytes(2, 1)
	put(t, server, store, "data/x", want)
	var group errgroup.Group
	paths := make([]string, 8)
	for i := range paths {
		group.Go(func() (err error) {
			paths[i], err = store.Fetch(t.Context(), "data/x")
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("fetched %d bytes of %d, or others: %v", len(got), len(want), err)
		}
	}
	if n := len(proxy.Seen()); n != 2 { // one that broke, one for the rest
		t.Errorf("%d requests, want 2", n)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(paths[0]), ".tmp-*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestAFileThatIsNotAsLongAsItsManifestSaysIsRefused(t *testing.T) {
	server := storetest.StartS3(t)
	storetest.SetEnvironment(t, server.Endpoint)
	store := openS3(t, server, "lake", lake.S3Options{})
	l := open(t, store)
	file := upload(t, l, output(t, lake.Usage, "2026-10-01"))
	if path, err := l.Path(t.Context(), file); err != nil {
		t.Errorf("%s, %v", path, err)
	}
	damaged := openS3(t, server, "lake", lake.S3Options{})
	put(t, server, store, file.Path, []byte("rows"))
	if _, err := open(t, damaged).Path(t.Context(), file); err == nil || !strings.Contains(err.Error(), "has 4 bytes, but run") {
		t.Errorf("a file that was cut gives %v", err)
	}
	if got := l.Location(file); got != "s3://"+server.Bucket+"/lake/"+file.Path {
		t.Errorf("location %s", got)
	}
}

func largeLocalFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(path, megabytes(16, 1), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A part that cannot be sent fails the upload; no part of it stays in the bucket.
func TestALargeUploadThatFailsLeavesNothingBehind(t *testing.T) {
	server := storetest.StartS3(t)
	store, proxy := openThrough(t, server, func(r *http.Request) storetest.Fault {
		if r.URL.Query().Get("partNumber") == "2" {
			return storetest.Refused
		}
		return storetest.NoFault
	}, lake.S3Options{Attempts: 2})
	err := store.Upload(t.Context(), "data/x", largeLocalFile(t))
	if err == nil || !strings.Contains(err.Error(), "upload "+store.String()+"/data/x: ") || !strings.Contains(err.Error(), "SlowDown") {
		t.Errorf("%v", err)
	}
	uploads, err := server.Client().ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &server.Bucket})
	if err != nil || len(uploads.Uploads) != 0 {
		t.Errorf("left behind: %+v, %v", uploads, err)
	}
	if proxy.Count(storetest.Refused) != 2 {
		t.Errorf("the part was tried %d times, want 2", proxy.Count(storetest.Refused))
	}
}

// The store has put the parts together, but its answer is lost.
func TestALargeUploadWhoseCompletionIsLostIsDone(t *testing.T) {
	server := storetest.StartS3(t)
	lost := false
	store, _ := openThrough(t, server, func(r *http.Request) storetest.Fault {
		if r.Method == http.MethodPost && r.URL.Query().Has("uploadId") && !lost {
			lost = true
			return storetest.Lost
		}
		return storetest.NoFault
	}, lake.S3Options{})
	if err := store.Upload(t.Context(), "data/x", largeLocalFile(t)); err != nil {
		t.Fatal(err)
	}
	if got, err := lake.ReadAll(t.Context(), store, "data/x"); err != nil || !bytes.Equal(got, megabytes(16, 1)) {
		t.Errorf("the object has %d bytes, or others: %v", len(got), err)
	}
}

// A store that takes a request and never answers is given up after the timeout.
func TestASilentStoreIsGivenUp(t *testing.T) {
	server := storetest.StartS3(t)
	store, proxy := openThrough(t, server, nil, lake.S3Options{Timeout: 50 * time.Millisecond, Attempts: 2})
	put(t, server, store, "log", megabytes(1, 1))
	proxy.Stall = 10 * time.Second
	proxy.Fault = func(*http.Request) storetest.Fault { return storetest.Stalled }
	began := time.Now()
	if _, err := lake.ReadAll(t.Context(), store, "log"); err == nil {
		t.Error("read to the end")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("given up after %v", took)
	}
}
