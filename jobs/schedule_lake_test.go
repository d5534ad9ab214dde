package jobs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/jobs"
)

// scheduling adds a schedule to the tiny world.
func scheduling(t *testing.T, schedule string) site {
	t.Helper()
	s := newSite(t, tiny)
	s.write("creditmill.yaml", tiny["creditmill.yaml"]+schedule)
	return s
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := period.ParseInstant(text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// daemon runs a daemon of the site in a simulation; listener may be nil.
func (s site) daemon(sim *jobs.Sim, log io.Writer, listener net.Listener) func(context.Context) error {
	clock := sim.Clock()
	o := jobs.ScheduleOptions{
		Config: filepath.Join(s.dir, "creditmill.yaml"), Tool: "test", Log: slog.New(slog.NewTextHandler(log, nil)),
		Clock: clock, Idle: clock.Idle, Random: func() float64 { return 0.5 }, Listener: listener,
	}
	return func(ctx context.Context) error { return jobs.Schedule(ctx, o) }
}

// Two daemons with the same plan: their jobs are due at the same instants, each
// month's close among them. By hand: October and November are closed by 2026-12-02,
// each once, and October's invoices are those of TestAMonthFromLogToInvoice.
func TestTwoDaemonsOnOneLakeCloseEachMonthOnce(t *testing.T) {
	t.Parallel()
	s := scheduling(t, "schedule: {ingest: \"0 3 */10 * *\", rate: \"0 4 */10 * *\", apply: \"0 5 */20 * *\", close: \"0 6 1 * *\"}\n")
	sim, ctx := jobs.NewSim(t.Context(), instant(t, "2026-10-25T00:00:00Z"), instant(t, "2026-12-02T00:00:00Z"))
	sim.At(instant(t, "2026-11-20T00:00:00Z"), func() {
		s.write("raw/calls/3.jsonl", `{"id":"n1","ts":"2026-11-15T10:00:00Z","org":"ada","op":"image.generate","n":1}`)
	})
	var logs [2]bytes.Buffer
	ended := make(chan error, 2)
	daemons := []func(context.Context) error{s.daemon(sim, &logs[0], nil), s.daemon(sim, &logs[1], nil)}
	for _, run := range daemons {
		go func() { ended <- run(ctx) }()
	}
	for range daemons {
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
	m := s.at("2026-12-02T00:00:00Z")
	var closed []string
	for _, run := range m.Lake.State().Milestones() {
		closed = append(closed, fmt.Sprintf("%s %s", run.Kind, run.Period))
	}
	if want := []string{"cut 2026-10", "close 2026-10", "cut 2026-11", "close 2026-11"}; !slices.Equal(closed, want) {
		t.Errorf("milestones %q, want %q\n%s\n%s", closed, want, &logs[0], &logs[1])
	}
	wantRows(t, "invoices of October", s.ask(`SELECT concat_ws(' ', number, account, total) FROM invoices WHERE period = '2026-10' ORDER BY number`),
		"INV-2026-000001 ada 12.0000", "INV-2026-000002 bob 4.0000")
	failures, err := m.Failures(t.Context())
	if err != nil || len(failures) != 0 {
		t.Errorf("failures left: %+v, %v", failures, err)
	}
}

// What a daemon answers while a month's close is blocked by a held call, and after
// three failures of a job, on a lake of known contents.
func TestWhatADaemonTells(t *testing.T) {
	t.Parallel()
	s := scheduling(t, "schedule: {ingest: \"0 3 1 * *\", rate: \"0 4 1 * *\", apply: never, close: \"0 6 1 * *\"}\n")
	s.write("raw/calls/3.jsonl", `{"id":"d1","ts":"2026-10-22T10:00:00Z","org":"ada","op":"image.resize"}
{"id":"d2","ts":"yesterday","org":"ada","op":"image.free","n":1}
{"id":"d3","ts":"2026-10-22T11:00:00Z","org":"ada","op":"image.free","n":1}
{"id":"d4","ts":"2026-10-22T11:00:00Z","org":"ada","op":"image.free","n":1}
{"id":"d5","ts":"2026-10-22T11:00:00Z","org":"ada","op":"image.free","n":1}
{"id":"d6","ts":"2026-10-22T11:00:00Z","org":"ada","op":"image.free","n":1}
{"id":"d7","ts":"2026-10-22T11:00:00Z","org":"ada","op":"image.free","n":1}
{"id":"d8","ts":"2026-10-22T11:00:00Z","org":"ada","op":"image.free","n":1}
{"id":"d9","ts":"2026-10-22T11:00:00Z","org":"ada","op":"image.free","n":1}
{"id":"d0","ts":"2026-10-22T11:00:00Z","org":"ada","op":"image.free","n":1}
`)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + listener.Addr().String()
	sim, ctx := jobs.NewSim(t.Context(), instant(t, "2026-11-01T06:30:00Z"), instant(t, "2026-11-01T13:00:00Z"))
	var log bytes.Buffer
	daemon := s.daemon(sim, &log, listener)

	sim.At(instant(t, "2026-11-01T07:00:00Z"), func() {
		var ready struct{ Ready bool }
		if code := get(t, base+"/readyz", &ready); code != http.StatusOK || !ready.Ready {
			t.Errorf("/readyz: %d, %+v", code, ready)
		}
		health := getHealth(t, base, http.StatusOK)
		if h := health["close"]; h.State != "blocked" || !strings.Contains(h.Error, "2026-10 cannot be closed") || h.Next != "2026-11-01T07:30:00Z" {
			t.Errorf("/healthz of the close: %+v", h)
		}
		if h := health["ingest"]; h.State != "waiting" || h.LastSuccess != "2026-11-01T06:30:00Z" || h.LastRun != 1 || h.Next != "2026-12-01T03:00:00Z" {
			t.Errorf("/healthz of ingest: %+v", h)
		}
		samples := scrape(t, base)
		for series, want := range map[string]float64{
			`creditmill_job_runs_total{job="ingest",outcome="done"}`:             1,
			`creditmill_job_runs_total{job="rate",outcome="done"}`:               1,
			`creditmill_job_runs_total{job="close",outcome="blocked"}`:           1,
			`creditmill_job_runs_total{job="close",outcome="failed"}`:            0,
			`creditmill_job_duration_seconds_count{job="ingest"}`:                1,
			`creditmill_job_last_success_timestamp_seconds{job="ingest"}`:        1793514600, // 2026-11-01T06:30:00Z
			`creditmill_job_next_timestamp_seconds{job="close"}`:                 1793518200, // 07:30
			`creditmill_job_failures_in_a_row{job="close"}`:                      0,
			`creditmill_job_blocked{job="close"}`:                                1,
			`creditmill_records_total`:                                           20, // 4 account events, 4 + 2 + 10 records of calls
			`creditmill_events_total`:                                            14, // of calls
			`creditmill_rejects_total{reason="bad_time"}`:                        1,
			`creditmill_rejects_total{reason="duplicate"}`:                       1,
			`creditmill_calls_rated_total`:                                       14,
			`creditmill_lake_head`:                                               2,
			`creditmill_source_newest_event_timestamp_seconds{source="gateway"}`: 1792666800, // 2026-10-22T11:00:00Z
			`creditmill_unrated_calls`:                                           0,
			`creditmill_lag_seconds{step="ingest"}`:                              9*86400 + 20*3600,
			`creditmill_lag_seconds{step="rate"}`:                                0,
			`creditmill_lag_seconds{step="close"}`:                               3600, // grace is 6 h
			`creditmill_held_calls{reason="no_rule"}`:                            1,
			`creditmill_held_account_events`:                                     0,
			`creditmill_blocking_rejects{reason="bad_time"}`:                     1,
			`creditmill_unread_objects`:                                          0,
			`creditmill_pending_voids`:                                           0,
			`creditmill_open_period_start_timestamp_seconds`:                     1790812800, // 2026-10-01T00:00:00Z
			`creditmill_clock_jumps_total`:                                       0,
		} {
			got, ok := samples[series]
			if !ok || got != want {
				t.Errorf("%s is %v (there: %v), want %v", series, got, ok, want)
			}
		}
		if _, closed := samples["creditmill_last_close_timestamp_seconds"]; closed {
			t.Error("there is an instant of a close that never was")
		}
		if samples[`creditmill_live_files{table="usage"}`] == 0 {
			t.Error("no live files of usage")
		}
		// A configuration that cannot be read: the close fails at 07:30, 08:30 and 09:30.
		s.write("prices/api.yaml", "table: [")
	})
	sim.At(instant(t, "2026-11-01T10:00:00Z"), func() {
		health := getHealth(t, base, http.StatusServiceUnavailable)
		if h := health["close"]; h.State != "failing" || h.Failures != 3 || h.Next != "2026-11-01T10:30:00Z" {
			t.Errorf("/healthz of a close that failed three times: %+v", h)
		}
		// The prices come back, with a rule for the held call, and the records are not as bad as they seemed.
		s.write("prices/api.yaml", tiny["prices/api.yaml"])
		s.write("prices/more.yaml", strings.Replace(tiny["prices/api.yaml"], "version: 1", "version: 2", 1)+"  - operation: image.resize\n    charge: {credits: 0}\n")
		report, err := s.at("2026-11-01T10:00:00Z").Close(t.Context(), jobs.CloseOptions{AcceptRejects: true})
		if err != nil || report.Run == nil {
			t.Errorf("close by hand: %+v, %v", report.Blocks, err)
		}
	})
	sim.At(instant(t, "2026-11-01T11:00:00Z"), func() {
		if h := getHealth(t, base, http.StatusOK)["close"]; h.State != "waiting" || h.Failures != 0 || h.Next != "2026-12-01T06:00:00Z" {
			t.Errorf("/healthz after somebody closed the month: %+v", h)
		}
		samples := scrape(t, base)
		if got := samples["creditmill_last_close_timestamp_seconds"]; got != 1793527200 { // 10:00
			t.Errorf("the last close is at %v", got)
		}
		if got := samples["creditmill_open_period_start_timestamp_seconds"]; got != 1793491200 { // 2026-11-01
			t.Errorf("the open period starts at %v", got)
		}
		if got := samples[`creditmill_lag_seconds{step="close"}`]; got != 0 {
			t.Errorf("the close is %v s late", got)
		}
		for _, path := range []string{"/metrics", "/healthz"} {
			response, err := http.Post(base+path, "text/plain", nil)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("POST %s: %s", path, response.Status)
			}
		}
	})
	if err := daemon(ctx); err != nil {
		t.Fatal(err)
	}
	if response, err := http.Get(base + "/healthz"); err == nil {
		response.Body.Close()
		t.Error("the daemon has ended and still answers")
	}
	if failures, err := s.at("2026-11-01T13:00:00Z").Failures(t.Context()); err != nil || len(failures) != 0 {
		t.Errorf("failures left: %+v, %v\n%s", failures, err, &log)
	}
}

// A failure's record cannot be understood, and two are of one job: the newest counts.
func TestFailuresAreOneAJob(t *testing.T) {
	t.Parallel()
	s := newSite(t, tiny)
	write := func(name, record string) { s.write("lake/failures/"+name, record) }
	write("rate-01KAAAAAAAAAAAAAAAAAAAAAAA.json", `{"job":"rate","last":"2026-11-01T08:00:00Z","attempts":7,"error":"newer"}`)
	write("rate-01KBBBBBBBBBBBBBBBBBBBBBBB.json", `{"job":"rate","last":"2026-11-01T07:00:00Z","attempts":2,"error":"older"}`)
	write("ingest-01KAAAAAAAAAAAAAAAAAAAAAAA.json", `{"job":"inge`)
	write("close-01KAAAAAAAAAAAAAAAAAAAAAAA.json", `{"job":"close","last":"2026-11-01T07:00:00Z","attempts":1,"error":"held","blocked":true}`)
	failures, err := s.at("2026-11-01T09:00:00Z").Failures(t.Context())
	if err != nil || len(failures) != 2 || failures[0].Job != "close" || !failures[0].Blocked || failures[1].Attempts != 7 {
		t.Errorf("failures: %+v, %v", failures, err)
	}
}

type jobHealth struct {
	Job         string
	State       string
	LastSuccess string `json:"last_success"`
	LastRun     int64  `json:"last_run"`
	Failures    int    `json:"failures_in_a_row"`
	Error       string
	Next        string
}

func getHealth(t *testing.T, base string, want int) map[string]jobHealth {
	t.Helper()
	var document struct {
		Healthy bool
		Jobs    []jobHealth
	}
	code := get(t, base+"/healthz", &document)
	if code != want || document.Healthy != (want == http.StatusOK) {
		t.Errorf("/healthz: %d, want %d: %+v", code, want, document)
	}
	byJob := map[string]jobHealth{}
	for _, h := range document.Jobs {
		byJob[h.Job] = h
	}
	return byJob
}

func get(t *testing.T, url string, document any) int {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(document); err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	return response.StatusCode
}

// scrape reads /metrics as Prometheus does: values by series, histograms by their
// counts.
func scrape(t *testing.T, base string) map[string]float64 {
	t.Helper()
	response, err := http.Get(base + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for name, family := range families {
		for _, m := range family.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			series := ""
			if len(labels) > 0 {
				series = "{" + strings.Join(labels, ",") + "}"
			}
			switch {
			case m.Histogram != nil:
				values[name+"_count"+series] = float64(m.Histogram.GetSampleCount())
			case m.Counter != nil:
				values[name+series] = m.Counter.GetValue()
			default:
				values[name+series] = m.GetGauge().GetValue()
			}
		}
	}
	return values
}
