package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/lake/storetest"
	"github.com/creditmill/creditmill/jobs"
)

// publishing is a publish as a step.
var publishing = step{publishNow, func(ctx context.Context, m *jobs.Mill) error {
	_, err := m.Publish(ctx, jobs.PublishOptions{})
	return err
}}

// What goes wrong during a publish, of a lake to which everything has happened.
func TestFaultsOfPublish(t *testing.T) {
	t.Parallel()
	s, published := publishHistory(t)
	random := rand.New(rand.NewPCG(storetest.Seed(t), 0))
	t.Run("one operation fails", func(t *testing.T) { publishFails(t, s, published, random) })
	t.Run("another overtakes it", func(t *testing.T) { publishLags(t, s, random) })
}

// Whatever happens to a store during a publish, before an operation or after it, the copy
// never says that it is of a run whose files are not all there, or not they alone; and the
// next publish makes of it what one that nobody disturbed makes.
func publishFails(t *testing.T, s, published site, random *rand.Rand) {
	before, was := publishedFiles(t, published.copyDir()), asOf(t, published.copyDir())
	calm, counting := s.copied(), &storetest.Failing{}
	if err := calm.try(publishing, counting); err != nil {
		t.Fatal(err)
	}
	want, is := publishedFiles(t, calm.copyDir()), asOf(t, calm.copyDir())
	calm.wantPublished(calm.copyDir())
	wantWhole := func(t *testing.T, dir string) {
		t.Helper()
		got := publishedFiles(t, dir)
		maps.DeleteFunc(got, func(name string, _ int64) bool { return strings.HasPrefix(filepath.Base(name), ".tmp-") }) // no reader looks at these
		switch said := asOf(t, dir); {
		case said == nil:
		case said.Run == was.Run && maps.Equal(got, before), said.Run == is.Run && maps.Equal(got, want):
		default:
			t.Errorf("the copy says that it is of run %d, and has %v", said.Run, got)
		}
	}
	share := 12
	if storetest.Full() {
		share = 0
	}
	cases := storetest.Cases(t, "folder: one operation of a publish fails")
	for _, fault := range storeFaults([]moment{{operations: counting.Operations()}}, random, share) {
		t.Run(fmt.Sprintf("%d after=%v once=%v", fault.n, fault.after, fault.once), func(t *testing.T) {
			t.Parallel()
			s, failing := site{t, s.dir}.copied(), fault.failing()
			if err := s.try(publishing, failing); err != nil && !isInjected(err) {
				t.Errorf("the store failed, but the error is %v", err)
			}
			wantWhole(t, s.copyDir())
			s.run([]step{publishing})
			wantWhole(t, s.copyDir())
			if said := asOf(t, s.copyDir()); said == nil || said.Run != is.Run {
				t.Errorf("published again, the copy says %+v", said)
			}
			if failing.Failed() > 0 {
				cases.Add(1)
			}
		})
	}
}

// While one publish is at any of its operations, a name is forgotten, and another publish
// is made of that run. The one that lags goes on from there: the copy ends as that of the
// newest run, without the name.
func publishLags(t *testing.T, s site, random *rand.Rand) {
	counting := &storetest.Failing{}
	if err := s.copied().try(publishing, counting); err != nil {
		t.Fatal(err)
	}
	forget := func(s site) error {
		_, err := s.at(publishNow).Forget(s.t.Context(), jobs.ForgetOptions{Account: "bob", Reason: "a test", Random: bytes.NewReader(make([]byte, 16))})
		return err
	}
	operations := random.Perm(int(counting.Operations()))
	if !storetest.Full() {
		operations = operations[:3]
	}
	cases := storetest.Cases(t, "folder: a publish is overtaken by another")
	for _, at := range operations {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			t.Parallel()
			s := site{t, s.dir}.copied()
			m, err := s.open(publishNow, watching(func(n int, _ turn) {
				if n != at {
					return
				}
				if err := forget(s); err != nil {
					t.Error(err)
				}
				s.wantPublished(s.copyDir())
			}))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Publish(t.Context(), jobs.PublishOptions{}); err != nil {
				t.Fatal(err)
			}
			s.wantPublished(s.copyDir())
			cases.Add(1)
		})
	}
}

// Several publish at once while the log moves on: each ends well, and so does the copy.
func TestPublishesAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	s.run(month[:2])
	var done sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		m := s.at(publishNow)
		done.Go(func() {
			for range 3 {
				if _, err := m.Publish(t.Context(), jobs.PublishOptions{}); err != nil {
					errs[i] = err
				}
			}
		})
	}
	for i := range 4 {
		s.write(fmt.Sprintf("raw/calls/more-%d.jsonl", i), fmt.Sprintf(`{"id":"m%d","ts":"2026-10-2%dT10:00:00Z","org":"ada","op":"image.generate","n":1}`, i, i))
		s.run(month[:2])
	}
	done.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	s.publish(jobs.PublishOptions{})
	s.wantPublished(s.copyDir())
}

// A reader that finds the same `_as_of.json` before and after has read one run, while all
// that can happen to a lake happens to it and is published; and no file is ever read that
// is not whole.
func TestReadersWhileItIsPublished(t *testing.T) {
	t.Parallel()
	s := newSite(t, faultWorld())
	session, err := duck.Open(t.Context(), duck.Options{Folders: []string{s.dir}})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	ctx, stop := context.WithCancel(t.Context())
	var reader sync.WaitGroup
	var whole atomic.Int64
	reader.Go(func() {
		for ctx.Err() == nil {
			if said := asOf(t, s.copyDir()); said != nil && readWhole(t, session, s.copyDir(), *said) {
				whole.Add(1)
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	for _, c := range faultHistory() {
		s.prepare(c)
		s.run([]step{c.step, publishing})
	}
	for n := whole.Load(); whole.Load() <= n; { // one of the end, at the latest
		time.Sleep(time.Millisecond)
	}
	stop()
	reader.Wait()
	s.wantPublished(s.copyDir())
}

// readWhole reads two tables of a copy that says what run it is of. Where it says the same
// afterwards they must have the rows of that run; it says whether it did.
func readWhole(t *testing.T, session *duck.Session, dir string, said jobs.AsOf) bool {
	t.Helper()
	got := map[string]int64{}
	var failed error
	for _, table := range []string{"usage", "rated"} {
		var rows int64
		err := session.Row(t.Context(), "SELECT count(CAST(t AS VARCHAR)) FROM read_parquet("+duck.Literal(filepath.Join(dir, table, "**", "*.parquet"))+", hive_partitioning = true) t").Scan(&rows)
		if err != nil && !strings.Contains(err.Error(), "No files found") && !strings.Contains(err.Error(), "No such file") {
			t.Errorf("a reader met a file that is not whole: %v", err)
		}
		got[table], failed = rows, errors.Join(failed, err)
	}
	if again := asOf(t, dir); again == nil || again.Head != said.Head {
		return false
	}
	for _, table := range said.Tables {
		if rows, read := got[table.Table]; read && table.Rows != rows && table.Rows > 0 {
			t.Errorf("of run %d a reader found %d rows of %s, want %d, %v", said.Run, rows, table.Table, table.Rows, failed)
		}
	}
	return true
}

// download copies a published copy from a bucket into a folder.
func (r remote) download() string {
	r.t.Helper()
	dir, under := r.t.TempDir(), r.prefix+"/lake/published/"
	client := r.server.Client()
	listed, err := client.ListObjectsV2(r.t.Context(), &s3.ListObjectsV2Input{Bucket: &r.server.Bucket, Prefix: &under})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, object := range listed.Contents {
		file := filepath.Join(dir, strings.TrimPrefix(*object.Key, under))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), r.get(*object.Key, file)); err != nil {
			r.t.Fatal(err)
		}
	}
	return dir
}

func (r remote) get(key, file string) error {
	object, err := r.server.Client().GetObject(r.t.Context(), &s3.GetObjectInput{Bucket: &r.server.Bucket, Key: &key})
	if err != nil {
		return err
	}
	defer object.Body.Close()
	data, err := io.ReadAll(object.Body)
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o600)
}

// On S3 the store itself copies, whatever goes wrong with requests: what is there in the
// end has the rows of the lake.
func TestFaultsOfPublishOnS3(t *testing.T) {
	server := storetest.StartS3(t)
	proxy := storetest.NewProxy(t, server.Endpoint)
	proxy.Stall = 20 * time.Millisecond
	wrong := new(atomic.Int64)
	var faulty atomic.Bool
	oneIn := oneInTwenty(storetest.Seed(t), wrong)
	proxy.Fault = func(r *http.Request) storetest.Fault {
		if !faulty.Load() {
			return storetest.NoFault
		}
		return oneIn(r)
	}
	storetest.SetEnvironment(t, proxy.URL)
	cases := storetest.Cases(t, "S3: requests of a publish go wrong on their way")
	r := newRemote(t, server, "published copy")
	published := func() jobs.PublishReport {
		faulty.Store(true)
		defer faulty.Store(false)
		return r.publish(jobs.PublishOptions{})
	}
	r.run(month[:3])
	first := published()
	r.wantPublished(r.download())
	r.put(map[string]string{
		"sources/gateway.yaml": tiny["sources/gateway.yaml"] + "dimensions: {model: model}\n",
		"raw/calls/8.jsonl":    `{"id":"m1","ts":"2026-10-07T10:00:00Z","org":"ada","op":"image.generate","n":2,"model":"large"}` + "\n",
	})
	r.run(month[:2])
	second := published()
	r.wantPublished(r.download())
	if first.Copied == 0 || first.Linked+first.Rewritten != 0 || second.Copied == 0 || second.Rewritten == 0 || second.Removed == 0 {
		t.Errorf("published %+v and %+v", first, second)
	}
	var copies int
	for _, request := range proxy.Seen() {
		if request.Header.Get("X-Amz-Copy-Source") != "" {
			copies++
		}
	}
	if int64(copies) < first.Copied+second.Copied {
		t.Errorf("%d requests to copy", copies)
	}
	if again := published(); again.Changed {
		t.Errorf("again: %+v", again)
	}
	if err := r.at(publishNow).Release(); err != nil {
		t.Error(err)
	}
	cases.Add(wrong.Load())
}
