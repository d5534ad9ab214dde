package jobs

import (
	"encoding/json"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/creditmill/creditmill/internal/lake"
)

// metrics are what Prometheus reads of a daemon; docs/operations.md has a table of
// them. What is counted since the start is kept here; what says how things stand is
// worked out when it is read, see collectors of [daemon].
type metrics struct {
	registry *prometheus.Registry
	runs     *prometheus.CounterVec   // by job and outcome
	seconds  *prometheus.HistogramVec // by job

	records, events, rated prometheus.Counter
	rejects                *prometheus.CounterVec // by reason
}

const namespace = "creditmill"

// durations are the bounds of the histogram of jobs: from those that find nothing to a
// whole lake verified.
var durations = []float64{0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600}

func newMetrics(d *daemon) *metrics {
	counter := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		runs:     prometheus.NewCounterVec(counter("job_runs_total", "Attempts at scheduled jobs that have ended."), []string{"job", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "job_duration_seconds", Help: "How long attempts at scheduled jobs took.", Buckets: durations,
		}, []string{"job"}),
		records: prometheus.NewCounter(counter("records_total", "Records of raw objects read, by runs that this daemon committed.")),
		events:  prometheus.NewCounter(counter("events_total", "Usage events taken in, by runs that this daemon committed.")),
		rated:   prometheus.NewCounter(counter("calls_rated_total", "Calls rated, by runs that this daemon committed.")),
		rejects: prometheus.NewCounterVec(counter("rejects_total", "Records rejected, by runs that this daemon committed."), []string{"reason"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "Always 1; the labels say which program runs.",
		ConstLabels: prometheus.Labels{"version": d.Tool, "go_version": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		build, m.runs, m.seconds, m.records, m.events, m.rated, m.rejects, jobsCollector{d}, lakeCollector{d},
	)
	return m
}

// known makes the series of a job, so that none appears with its first failure.
func (m *metrics) known(job string) {
	for _, o := range outcomes {
		m.runs.WithLabelValues(job, string(o))
	}
	m.seconds.WithLabelValues(job)
}

// ended counts an attempt.
func (m *metrics) ended(job string, o outcome, seconds float64) {
	m.runs.WithLabelValues(job, string(o)).Inc()
	m.seconds.WithLabelValues(job).Observe(seconds)
}

// committed counts what a run brought, by its manifest.
func (m *metrics) committed(manifest []byte) {
	var run lake.Run
	if json.Unmarshal(manifest, &run) != nil {
		return
	}
	for reason, n := range run.Totals.Rejects {
		m.rejects.WithLabelValues(reason).Add(float64(n))
	}
	switch run.Kind {
	case lake.Ingest:
		m.records.Add(float64(run.Totals.Records))
		m.events.Add(float64(run.Totals.Events))
	case lake.Rate:
		m.rated.Add(float64(run.Totals.Calls))
	}
}

// A gauge describes a series of a collector.
func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

var (
	lastSuccessDesc  = gauge("job_last_success_timestamp_seconds", "When the job last succeeded, also when it found nothing to do; absent until it has.", "job")
	failuresRowDesc  = gauge("job_failures_in_a_row", "Failures of the job since it last succeeded or was blocked.", "job")
	jobBlockedDesc   = gauge("job_blocked", "1 while the job waits for a person, as a close does for held calls.", "job")
	nextInstantDesc  = gauge("job_next_timestamp_seconds", "When the job is due next.", "job")
	jobAtWorkDesc    = gauge("job_at_work_seconds", "How long the job has been at work; 0 while it is not.", "job")
	clockJumpsDesc   = prometheus.NewDesc(namespace+"_clock_jumps_total", "How often the wall clock differed by more than a minute from the time that had passed.", nil, nil)
	lakeHeadDesc     = gauge("lake_head", "Number of the newest run.")
	newestEventDesc  = gauge("source_newest_event_timestamp_seconds", "Time of the newest call of the source.", "source")
	unratedCallsDesc = gauge("unrated_calls", "Calls that no rating has read.")
	lagSecondsDesc   = gauge("lag_seconds", "How far a step is behind: ingest: age of the newest call; rate: age of the oldest run with calls not rated; close: since when the open period could have been closed.", "step")
	heldCallsDesc    = gauge("held_calls", "Calls of open periods that are held.", "reason")
	heldEventsDesc   = gauge("held_account_events", "Account events that the last apply or close held.")
	blockingDesc     = gauge("blocking_rejects", "Rejects that nobody has accepted, duplicates and voided calls apart.", "reason")
	unreadCountDesc  = gauge("unread_objects", "Raw objects that could not be taken in.")
	pendingVoidsDesc = gauge("pending_voids", "Voided calls of cut or closed periods that wait for a re-rate.")
	lastCloseDesc    = gauge("last_close_timestamp_seconds", "When the newest period was closed; absent until one is.")
	openStartDesc    = gauge("open_period_start_timestamp_seconds", "The start of the open period.")
	liveFilesDesc    = gauge("live_files", "Live files of the table.", "table")
)

// A jobsCollector says how the jobs of a daemon stand.
type jobsCollector struct{ *daemon }

// Describe sends no series: which jobs there are is known later.
func (jobsCollector) Describe(chan<- *prometheus.Desc) {}

// Collect sends the series of every job.
func (c jobsCollector) Collect(out chan<- prometheus.Metric) {
	elapsed := c.elapsed()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.jobs {
		if !s.success.IsZero() {
			out <- sample(lastSuccessDesc, instant(s.success), s.name)
		}
		atWork := time.Duration(0)
		if s.cancel != nil {
			atWork = elapsed - s.began
		}
		out <- sample(failuresRowDesc, float64(s.failures), s.name)
		out <- sample(jobBlockedDesc, truth(s.blocked), s.name)
		out <- sample(nextInstantDesc, instant(s.next()), s.name)
		out <- sample(jobAtWorkDesc, atWork.Seconds(), s.name)
	}
	out <- prometheus.MustNewConstMetric(clockJumpsDesc, prometheus.CounterValue, float64(c.jumps))
}

// A lakeCollector says how the lake stood when a job last looked at it; ages are those
// at the time of reading.
type lakeCollector struct{ *daemon }

// Describe sends no series: which there are depends on the lake.
func (lakeCollector) Describe(chan<- *prometheus.Desc) {}

// Collect sends the series of the lake, none before it has been looked at.
func (c lakeCollector) Collect(out chan<- prometheus.Metric) {
	now := c.Clock.Now()
	c.mu.Lock()
	v := c.lake
	c.mu.Unlock()
	if v == nil {
		return
	}
	since := func(t time.Time) float64 {
		if t.IsZero() {
			return 0
		}
		return max(0, now.Sub(t).Seconds())
	}
	out <- sample(lakeHeadDesc, float64(v.head))
	var newest time.Time
	for source, t := range v.newest {
		out <- sample(newestEventDesc, instant(t), source)
		if t.After(newest) {
			newest = t
		}
	}
	if !newest.IsZero() {
		out <- sample(lagSecondsDesc, since(newest), "ingest")
	}
	out <- sample(unratedCallsDesc, float64(v.unrated))
	out <- sample(lagSecondsDesc, since(v.unratedSince), "rate")
	out <- sample(lagSecondsDesc, since(v.mayClose), "close")
	for reason, n := range v.held {
		out <- sample(heldCallsDesc, float64(n), reason)
	}
	out <- sample(heldEventsDesc, float64(v.heldEvents))
	for reason, n := range v.rejects {
		out <- sample(blockingDesc, float64(n), reason)
	}
	out <- sample(unreadCountDesc, float64(v.unread))
	out <- sample(pendingVoidsDesc, float64(v.pendingVoids))
	if !v.lastClose.IsZero() {
		out <- sample(lastCloseDesc, instant(v.lastClose))
	}
	out <- sample(openStartDesc, instant(v.openStart))
	for table, n := range v.files {
		out <- sample(liveFilesDesc, float64(n), table)
	}
}

func sample(desc *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}

// instant is t in seconds since 1970, as Prometheus counts time.
func instant(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
