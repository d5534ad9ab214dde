package jobs_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/creditmill/creditmill/internal/lake/storetest"
)

// A remote is a site whose lake and logs lie under a prefix of a bucket.
type remote struct {
	site
	server *storetest.S3Server
	prefix string
}

func newRemote(t *testing.T, server *storetest.S3Server, prefix string) remote {
	t.Helper()
	r := remote{newSite(t, nil), server, prefix}
	r.put(faultWorld())
	return r
}

// put writes files of the site: logs into the bucket, the configuration into the folder.
func (r remote) put(files map[string]string) {
	r.t.Helper()
	for name, text := range files {
		if !strings.HasPrefix(name, "raw/") {
			r.write(name, strings.NewReplacer("./lake", r.server.Address(r.prefix+"/lake"), "./raw", r.server.Address(r.prefix+"/raw"),
				"catalog:", "scratch: ./scratch\ncatalog:").Replace(text))
			continue
		}
		key := path.Join(r.prefix, name)
		_, err := r.server.Client().PutObject(r.t.Context(), &s3.PutObjectInput{
			Bucket: &r.server.Bucket, Key: &key, Body: strings.NewReader(strings.TrimPrefix(text, "\n")),
		})
		if err != nil {
			r.t.Fatal(err)
		}
	}
}

// copiedTo is a copy of the site under another prefix.
func (r remote) copiedTo(t *testing.T, prefix string) remote {
	t.Helper()
	twin := remote{site{t, r.dir}.copied(), r.server, prefix}
	config := filepath.Join(twin.dir, "creditmill.yaml")
	text, err := os.ReadFile(config)
	if err == nil {
		err = os.WriteFile(config, []byte(strings.ReplaceAll(string(text), r.server.Address(r.prefix+"/"), r.server.Address(prefix+"/"))), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	client, under := r.server.Client(), r.prefix+"/"
	listed, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &r.server.Bucket, Prefix: &under})
	if err != nil || listed.IsTruncated != nil && *listed.IsTruncated {
		t.Fatalf("list %s: %v, or more than one page", under, err)
	}
	for _, object := range listed.Contents {
		from, to := r.server.Bucket+"/"+*object.Key, prefix+"/"+strings.TrimPrefix(*object.Key, under)
		if _, err := client.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: &r.server.Bucket, CopySource: &from, Key: &to}); err != nil {
			t.Fatal(err)
		}
	}
	return twin
}

// remoteMoments is site.moments of a remote.
func (r remote) moments(history []command) ([]moment, []remote) {
	r.t.Helper()
	all, before := make([]moment, len(history)), make([]remote, len(history))
	for i, c := range history {
		r.put(c.lands)
		before[i] = r.copiedTo(r.t, fmt.Sprintf("%s-%d", r.prefix, i))
		counting := &storetest.Failing{}
		if err := r.try(c.step, counting); err != nil {
			r.t.Fatalf("%s: %v", c.name, err)
		}
		all[i] = moment{command: c, before: before[i].site, operations: counting.Operations(), rows: r.rows()}
	}
	return all, before
}

// wantRowsOf checks that what is live, read from the bucket, is what an undisturbed lake
// has. Their objects are told apart by what the bucket gives, so by content.
func (r remote) wantRowsOf(want moment) {
	r.t.Helper()
	if got := r.rows(); !reflect.DeepEqual(got, want.rows) {
		r.t.Errorf("%s: rows differ from an undisturbed lake's:\n got %v\nwant %v", want.name, got, want.rows)
	}
}

// The same of a lake in object storage: the store fails at an operation, and requests go
// wrong on their way, those for logs too.
func TestFaultsOfS3(t *testing.T) {
	server := storetest.StartS3(t)
	proxy := storetest.NewProxy(t, server.Endpoint)
	proxy.Stall = 20 * time.Millisecond
	none := func(*http.Request) storetest.Fault { return storetest.NoFault }
	var fault atomic.Value
	fault.Store(none)
	proxy.Fault = func(r *http.Request) storetest.Fault { return fault.Load().(func(*http.Request) storetest.Fault)(r) }
	storetest.SetEnvironment(t, proxy.URL)
	moments, before := newRemote(t, server, "calm").moments(faultHistory())
	random := rand.New(rand.NewPCG(storetest.Seed(t), 0))
	share := 1
	if storetest.Full() {
		share = 12
	}
	t.Run("one operation fails", func(t *testing.T) {
		cases := storetest.Cases(t, "S3: one operation of any job fails")
		for i, fault := range storeFaults(moments, random, share) {
			m := moments[fault.at]
			t.Run(fmt.Sprintf("%s/%d after=%v once=%v", m.name, fault.n, fault.after, fault.once), func(t *testing.T) {
				r, failing := before[fault.at].copiedTo(t, fmt.Sprint("operation-", i)), fault.failing()
				if err := r.try(m.step, failing); err != nil && !isInjected(err) {
					t.Errorf("the store failed, but the error is %v", err)
				}
				if failing.Failed() == 0 {
					return
				}
				r.run([]step{m.step})
				r.wantRowsOf(m)
				cases.Add(1)
			})
		}
	})
	t.Run("one request goes wrong", func(t *testing.T) {
		cases := storetest.Cases(t, "S3: requests go wrong on their way")
		for i := range share * len(moments) {
			m := moments[i%len(moments)]
			t.Run(m.name, func(t *testing.T) {
				r := before[i%len(moments)].copiedTo(t, fmt.Sprint("request-", i))
				wrong := new(atomic.Int64)
				fault.Store(oneInTwenty(random.Uint64(), wrong))
				r.run([]step{m.step}) // the store repeats what went wrong
				fault.Store(none)
				r.wantRowsOf(m)
				if wrong.Load() > 0 {
					cases.Add(1)
				}
			})
		}
	})
}

// oneInTwenty makes one request in twenty go wrong, in a way that the store gets over
// by asking again.
func oneInTwenty(seed uint64, wrong *atomic.Int64) func(*http.Request) storetest.Fault {
	one := storetest.OneIn(20, seed)
	return func(r *http.Request) storetest.Fault {
		fault := one(r)
		if fault != storetest.NoFault {
			wrong.Add(1)
		}
		return fault
	}
}
