package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	// unhealthyAfter is how many failures in a row of one job make the daemon unhealthy.
	unhealthyAfter = 3
	// deadAfter is how long the loop may not have looked at the clock: it does so
	// twice a minute.
	deadAfter = 3 * time.Minute
	// lastRequests is how long requests may take when the daemon ends.
	lastRequests = 2 * time.Second
)

// serve answers at the listener until the function that it returns is called.
func (d *daemon) serve() (stop func()) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", d.healthz)
	mux.HandleFunc("GET /readyz", d.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(d.metrics.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(d.Log.Handler(), slog.LevelWarn), MaxRequestsInFlight: 8, Timeout: 10 * time.Second,
	}))
	server := &http.Server{
		Handler: mux, ErrorLog: slog.NewLogLogger(d.Log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10,
	}
	address := d.Listener.Addr()
	d.Log.Info("listening", "address", address.String())
	if tcp, ok := address.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		d.Log.Warn("whoever reaches this address can read the metrics: they name sources, jobs and their errors", "address", address.String())
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := server.Serve(d.Listener); !errors.Is(err, http.ErrServerClosed) {
			d.Log.Error("no more requests are answered", "error", err)
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), lastRequests)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close() // those that take longer are cut off
		}
		<-served
	}
}

// health is what /healthz answers.
type health struct {
	Healthy bool        `json:"healthy"`
	Reasons []string    `json:"reasons"` // why it is not
	Jobs    []jobHealth `json:"jobs"`
}

type jobHealth struct {
	Job         string     `json:"job"`
	State       string     `json:"state"` // waiting, queued, at_work, failing, blocked or stuck
	LastSuccess *time.Time `json:"last_success"`
	LastRun     *int64     `json:"last_run"` // that it committed
	Failures    int        `json:"failures_in_a_row"`
	Since       *time.Time `json:"failing_since"` // or blocked
	Error       *string    `json:"error"`
	Next        time.Time  `json:"next"`
}

// health is how the daemon is.
func (d *daemon) health() health {
	elapsed := d.elapsed()
	d.mu.Lock()
	defer d.mu.Unlock()
	h := health{Reasons: []string{}, Jobs: []jobHealth{}}
	if elapsed-d.woke > deadAfter && !d.stopped {
		h.Reasons = append(h.Reasons, "the daemon has not looked at the clock for "+(elapsed-d.woke).Round(time.Second).String())
	}
	for _, s := range d.jobs {
		state := s.state(elapsed)
		h.Jobs = append(h.Jobs, jobHealth{
			s.name, state, given(s.success.UTC()), given(s.run), s.failures, given(s.since.UTC()), given(s.err), s.next().UTC(),
		})
		if s.failures >= unhealthyAfter {
			h.Reasons = append(h.Reasons, s.name+" keeps failing: "+s.err)
		}
		if state == stateStuck {
			h.Reasons = append(h.Reasons, s.name+" does not end although its time is over: restart the daemon")
		}
	}
	h.Healthy = len(h.Reasons) == 0
	return h
}

// given is null in JSON for nothing.
func given[T comparable](value T) *T {
	var nothing T
	if value == nothing {
		return nil
	}
	return &value
}

func (d *daemon) healthz(w http.ResponseWriter, _ *http.Request) {
	h := d.health()
	answer(w, h.Healthy, h)
}

// readyz is whether the daemon has read its configuration, without which there is
// none, and opened its lake.
func (d *daemon) readyz(w http.ResponseWriter, _ *http.Request) {
	d.mu.Lock()
	ready := d.ready
	d.mu.Unlock()
	answer(w, ready, map[string]bool{"ready": ready})
}

func answer(w http.ResponseWriter, ok bool, document any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	_ = out.Encode(document) // who does not take the answer asks again
}
