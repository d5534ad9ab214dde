package storetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A Policy is what an IAM policy says, as far as those of the documents go: actions
// and resources with wildcards, and the condition Null.
type Policy struct {
	Statement []struct {
		Sid, Effect      string
		Action, Resource texts
		Condition        map[string]map[string]string
	}
}

// texts are one text or a list of them.
type texts []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *texts) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(t))
}

func (t texts) match(value string) bool {
	return slices.ContainsFunc(t, func(pattern string) bool {
		quoted := strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*")
		return regexp.MustCompile("^" + quoted + "$").MatchString(value)
	})
}

// A Guard stands between a program and an S3 server, and lets through what a policy
// allows, by each request's method, path and headers.
type Guard struct {
	*httptest.Server

	policy Policy
	mu     sync.Mutex
	denied []string
	used   map[string]bool
}

// NewGuard starts a guard before the server at endpoint.
func NewGuard(t testing.TB, endpoint string, policy Policy) *Guard {
	t.Helper()
	for _, s := range policy.Statement {
		for operator := range s.Condition {
			if operator != "Null" {
				t.Fatalf("statement %s: the guard does not know the condition %s", s.Sid, operator)
			}
		}
	}
	g := &Guard{policy: policy, used: map[string]bool{}}
	behind := NewProxy(t, endpoint)
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, a := range actsOf(r) {
			if !g.allows(a, r) {
				refuse(w, r, http.StatusForbidden, "AccessDenied")
				return
			}
		}
		behind.target.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

// Denied are the actions that were refused so far, each with its resource.
func (g *Guard) Denied() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.denied)
}

// Used says whether a statement has allowed something.
func (g *Guard) Used(sid string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.used[sid]
}

// An act is an action on a resource.
type act struct{ action, resource string }

// actsOf are the actions that IAM checks of a request.
func actsOf(r *http.Request) []act {
	path := strings.TrimPrefix(r.URL.Path, "/")
	bucket, key, _ := strings.Cut(path, "/")
	query := r.URL.Query()
	on := "arn:aws:s3:::" + path
	switch {
	case key == "" && r.Method == http.MethodGet && query.Has("list-type"):
		return []act{{"s3:ListBucket", "arn:aws:s3:::" + bucket}}
	case key == "":
		return []act{{"s3:" + r.Method + "Bucket", "arn:aws:s3:::" + bucket}} // nothing that creditmill needs
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return []act{{"s3:GetObject", on}}
	case r.Method == http.MethodDelete && query.Has("uploadId"):
		return []act{{"s3:AbortMultipartUpload", on}}
	case r.Method == http.MethodDelete:
		return []act{{"s3:DeleteObject", on}}
	case r.Header.Get("X-Amz-Copy-Source") != "":
		source, err := url.PathUnescape(strings.TrimPrefix(r.Header.Get("X-Amz-Copy-Source"), "/"))
		if err != nil {
			source = "" // no object
		}
		return []act{{"s3:PutObject", on}, {"s3:GetObject", "arn:aws:s3:::" + source}}
	default: // PUT of an object or a part, POST that begins or completes an upload
		return []act{{"s3:PutObject", on}}
	}
}

// allows says yes where a statement allows an act and none denies it.
func (g *Guard) allows(a act, r *http.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	allowed, denied := "", false
	for _, s := range g.policy.Statement {
		if !s.Action.match(a.action) || !s.Resource.match(a.resource) || !holds(s.Condition, r) {
			continue
		}
		if s.Effect == "Deny" {
			denied = true
		} else {
			allowed = s.Sid
		}
	}
	if denied || allowed == "" {
		g.denied = append(g.denied, a.action+" "+a.resource)
		return false
	}
	g.used[allowed] = true
	return true
}

// holds reports whether the conditions of a statement are met.
func holds(conditions map[string]map[string]string, r *http.Request) bool {
	for key, absent := range conditions["Null"] {
		header := http.CanonicalHeaderKey(strings.TrimPrefix(key, "s3:"))
		if (r.Header.Get(header) == "") != (absent == "true") {
			return false
		}
	}
	return true
}

// ParsePolicy reads a policy. Its buckets are called what the server's bucket is.
func ParsePolicy(text string, buckets *strings.Replacer) (Policy, error) {
	var p Policy
	if err := json.Unmarshal([]byte(buckets.Replace(text)), &p); err != nil {
		return p, fmt.Errorf("policy: %w", err)
	}
	return p, nil
}
