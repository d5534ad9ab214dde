package lake_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
)

// A store that says no is quoted with the place, the code and the next step, and
// never with the credentials.
func TestS3ErrorsSayWhatWhereAndWhatNext(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		header map[string]string
		code   string
		want   string
	}{
		"no bucket": {404, nil, "NoSuchBucket", "make the bucket, or correct its name"},
		"denied":    {403, nil, "AccessDenied", "let these credentials do s3:GetObject on it, and s3:ListBucket"},
		"bad key":   {403, nil, "InvalidAccessKeyId", "does not accept these credentials"},
		"expired":   {400, nil, "ExpiredToken", "does not accept these credentials"},
		"clock":     {403, nil, "RequestTimeTooSkewed", "the clock of this machine is wrong"},
		"region":    {301, map[string]string{"X-Amz-Bucket-Region": "eu-west-1"}, "PermanentRedirect", "set AWS_REGION=eu-west-1"},
		"no such":   {501, nil, "NotImplemented", "conditional writes"},
		"overload":  {503, nil, "SlowDown", "run the same command again later"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for name, value := range test.header {
					w.Header().Set(name, value)
				}
				w.WriteHeader(test.status)
				_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>As you were.</Message></Error>", test.code)
			}))
			defer server.Close()
			storetest.SetEnvironment(t, server.URL)
			store, err := lake.NewS3(t.Context(), "logs", "raw", lake.S3Options{Attempts: 2, Backoff: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			_, err = store.Open(t.Context(), "a b")
			if err == nil {
				t.Fatal("opened")
			}
			text := err.Error()
			if !strings.HasPrefix(text, "read s3://logs/raw/a b: As you were ("+test.code+"): ") || !strings.Contains(text, test.want) {
				t.Errorf("%s", text)
			}
			if strings.Contains(text, storetest.S3AccessKey) || strings.Contains(text, storetest.S3SecretKey) {
				t.Errorf("the text gives credentials away: %s", text)
			}
		})
	}
}

// A bucket that is not there is no empty lake, and its objects are not just absent.
func TestAMissingBucketIsNoEmptyStore(t *testing.T) {
	server := storetest.StartS3(t)
	storetest.SetEnvironment(t, server.Endpoint)
	store, err := lake.NewS3(t.Context(), "elsewhere", "lake", lake.S3Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lake.Open(t.Context(), store, nil); err == nil || !strings.Contains(err.Error(), "make the bucket") {
		t.Errorf("a lake in a bucket that is not there: %v", err)
	}
	for _, err := range store.List(t.Context(), "") {
		if err == nil || !strings.Contains(err.Error(), "list s3://elsewhere/lake/: ") {
			t.Errorf("a listing of it: %v", err)
		}
	}
	file := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := store.Upload(t.Context(), "x", file); err == nil || !strings.Contains(err.Error(), "make the bucket") {
		t.Errorf("an upload to it: %v", err)
	}
}

func TestNobodyAnswers(t *testing.T) {
	storetest.SetEnvironment(t, "http://127.0.0.1:1")
	store, err := lake.NewS3(t.Context(), "logs", "", lake.S3Options{Attempts: 2, Backoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	const want = "read s3://logs/x: no answer from 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused: check AWS_ENDPOINT_URL"
	if _, err := store.Open(t.Context(), "x"); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v", err)
	}
}

func TestMissingSettingsAreNamed(t *testing.T) {
	for name, test := range map[string]struct {
		unset []string
		want  string // "" for none
	}{
		"no credentials":            {[]string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}, "there are no AWS credentials: set AWS_ACCESS_KEY_ID"},
		"no region":                 {[]string{"AWS_REGION", "AWS_ENDPOINT_URL"}, "there is no AWS region: set AWS_REGION"},
		"an endpoint and no region": {[]string{"AWS_REGION"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.SetEnvironment(t, "http://127.0.0.1:1")
			for _, name := range test.unset {
				t.Setenv(name, "")
			}
			_, err := lake.NewS3(t.Context(), "logs", "", lake.S3Options{})
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), "s3://logs: "+test.want)) {
				t.Errorf("%v", err)
			}
		})
	}
	storetest.SetEnvironment(t, "localhost:9000")
	if _, err := lake.NewS3(t.Context(), "logs", "", lake.S3Options{}); err == nil || !strings.Contains(err.Error(), "write it as https://host:port") {
		t.Errorf("an endpoint without scheme: %v", err)
	}
}
