package storetest

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"
)

// A Fault is a way in which a request to a store goes wrong.
type Fault int

// The faults of a [Proxy].
const (
	NoFault  Fault = iota
	Refused        // 503, and the store hears nothing
	Broken         // the answer breaks off in the middle of its body
	Lost           // the store does as it was asked, but no answer comes back
	Stalled        // the answer stops in the middle of its body, and nothing more comes for a while
	Conflict       // 409: another conditional write is under way; the store hears nothing
	faults
)

// A Proxy stands between a program and an S3 server, and makes requests go wrong.
type Proxy struct {
	*httptest.Server

	// Fault says how a request goes wrong.
	Fault func(*http.Request) Fault
	// Stall is how long a stalled answer stops.
	Stall time.Duration

	target *httputil.ReverseProxy
	mu     sync.Mutex
	seen   []*http.Request
	count  [faults]int
}

// NewProxy starts a proxy before the server at endpoint.
func NewProxy(t testing.TB, endpoint string) *Proxy {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Stall: time.Second}
	p.target = &httputil.ReverseProxy{
		// The host that the client has signed stays.
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = target.Scheme, target.Host, r.In.Host
		},
		FlushInterval: -1,
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, // the client has gone
	}
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	return p
}

// OneInTen is OneIn of ten, drawn by the same seed always.
func OneInTen() func(*http.Request) Fault { return OneIn(10, 1) }

// OneIn makes about one request in n go wrong, in all ways, the same requests at each
// run of a test that sends them in the same order. A conflict befalls conditional
// writes only.
func OneIn(n int, seed uint64) func(*http.Request) Fault {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 2))
	return func(r *http.Request) Fault {
		mu.Lock()
		defer mu.Unlock()
		if random.IntN(n) != 0 {
			return NoFault
		}
		fault := Fault(1 + random.IntN(int(faults)-1))
		if fault == Conflict && r.Header.Get("If-None-Match") == "" {
			fault = Lost
		}
		return fault
	}
}

// Seen are the requests so far, without their bodies.
func (p *Proxy) Seen() []*http.Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

// Count is how many requests went wrong in that way.
func (p *Proxy) Count(fault Fault) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count[fault]
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	fault := NoFault
	if p.Fault != nil {
		fault = p.Fault(r)
	}
	p.mu.Lock()
	p.seen = append(p.seen, r.Clone(r.Context()))
	p.count[fault]++
	p.mu.Unlock()
	switch fault {
	case Refused:
		refuse(w, r, http.StatusServiceUnavailable, "SlowDown")
	case Conflict:
		refuse(w, r, http.StatusConflict, "ConditionalRequestConflict")
	case Lost, Broken, Stalled:
		answer := httptest.NewRecorder()
		p.target.ServeHTTP(answer, r)
		if fault != Lost {
			half(w, r, answer, fault, p.Stall)
		}
		panic(http.ErrAbortHandler) // closes the connection
	default:
		p.target.ServeHTTP(w, r)
	}
}

// refuse answers as S3 words an error.
func refuse(w http.ResponseWriter, r *http.Request, status int, code string) {
	_, _ = io.Copy(io.Discard, r.Body) // so that the client can read the answer
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>injected</Message></Error>", code)
}

// half sends the head and half of the body.
func half(w http.ResponseWriter, r *http.Request, answer *httptest.ResponseRecorder, fault Fault, stall time.Duration) {
	body := answer.Body.Bytes()
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	if len(body) > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush() // the client may have gone
	if fault == Stalled {
		select {
		case <-time.After(stall):
		case <-r.Context().Done():
		}
	}
}
