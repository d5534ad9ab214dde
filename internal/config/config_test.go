package config_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

// folder writes files ("path: content") into a new folder and makes it the
// working one, so that messages name short paths.
func folder(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const minimal = "lake: ./lake\nraw: ./raw\nfirst_period: 2026-10\n"

// load reads minimal and more, with one source beside it.
func load(t *testing.T, more string) (*config.Config, *yamlfile.Problems) {
	t.Helper()
	folder(t, map[string]string{"creditmill.yaml": minimal + more, "sources/a.yaml": "source: a\n"})
	return config.Load(".")
}

func must(t *testing.T, c *config.Config, p *yamlfile.Problems) *config.Config {
	t.Helper()
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaultsAreThoseOfTheSpecification(t *testing.T) {
	c, p := load(t, "")
	must(t, c, p)
	got := fmt.Sprintln(c.File, c.Lake, c.Raw, c.FirstPeriod, c.TimeZone, c.Currency, c.UnknownPlan, c.Alerts) +
		fmt.Sprintln(c.Invoices.Number, c.Invoices.Credit, c.Invoices.Debit, c.Invoices.Due, c.CloseGrace, c.Accept) +
		fmt.Sprintln(c.Retention, c.Memory, c.Scratch, c.Publish, c.Issuer.Name)
	want := fmt.Sprintln("creditmill.yaml", "lake", "raw", "2026-10", "UTC", "USD", "", []int{80, 100, 110}) +
		fmt.Sprintln("INV-{year}-{seq:6}", "CN-{year}-{seq:6}", "DN-{year}-{seq:6}", period.Duration{Days: 14}, period.Duration{Elapsed: 6 * time.Hour},
			config.Accept{Future: period.Duration{Elapsed: time.Hour}, Past: period.Duration{Days: 400}}) +
		fmt.Sprintln(config.Retention{Rejected: period.Duration{Days: 90}, Superseded: period.Duration{Days: 400}}, "2GB", "", "lake/published", "")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var jobs []string
	for _, job := range c.Schedule {
		jobs = append(jobs, job.Name+"="+job.Cron)
	}
	if got := strings.Join(jobs, ";"); got != "ingest=*/15 * * * *;rate=20 * * * *;close=0 6 1 * *;publish=@daily" {
		t.Errorf("schedule: %s", got)
	}
}

func TestTheSampleOfTheSpecificationIsRead(t *testing.T) {
	folder(t, map[string]string{
		"conf/creditmill.yaml": `lake: s3://billing/lake/
raw: s3://logs
first_period: 2026-10
timezone: Europe/Madrid
currency: EUR
sources: [sources/*.yaml]
prices: ["prices/*.yaml", prices/b.yaml]
catalog: [plans/*.yaml]
accounts: {unknown: {plan: free}}
alerts: [110, 80]
issuer: {name: Example API Ltd, address: [1 Street, "28001 Madrid"], tax_id: EX123}
invoices: {number: "INV-{year}-{seq:6}", credit: "CN-{seq}", debit: "{year}.DN.{seq:4}", due: 1 month}
close: {grace: 30m}
accept: {future: 1 day, past: none}
memory: 512 MiB
scratch: tmp
retention: {rejected: 1 month, superseded: 2 days}
publish: published/
schedule:
  ingest: "*/15 * * * *"
  rate: never
  close: "@monthly"
  apply: "0 3 * * *"
`,
		"conf/sources/b.yaml": "source: b\n", "conf/sources/a.yaml": "source: a\n", "conf/sources/a.txt": "x",
		"conf/prices/b.yaml": "b", "conf/prices/a.yaml": "a", "conf/plans/p.yaml": "p",
	})
	c, p := config.Load("conf/creditmill.yaml")
	must(t, c, p)
	if c.Lake.String() != "s3://billing/lake" || c.Lake.Bucket() != "billing" || c.Lake.Prefix() != "lake" || c.Raw.Bucket() != "logs" || c.Raw.Prefix() != "" {
		t.Errorf("lake %v, raw %v", c.Lake, c.Raw)
	}
	if c.Publish.String() != "s3://billing/lake/published" {
		t.Errorf("publish %v", c.Publish)
	}
	if c.Currency.String() != "EUR" || c.TimeZone != "Europe/Madrid" || c.UnknownPlan != "free" || c.UnknownNode.Pos().String() != "conf/creditmill.yaml:9:28" {
		t.Errorf("%v %v %v %v", c.Currency, c.TimeZone, c.UnknownPlan, c.UnknownNode.Pos())
	}
	// October begins in Madrid at 22:00 UTC, summer time.
	if start := c.Calendar.Start(c.FirstPeriod); !start.Equal(time.Date(2026, 9, 30, 22, 0, 0, 0, time.UTC)) {
		t.Errorf("start %v", start)
	}
	if !slices.Equal(c.Alerts, []int{80, 110}) || !c.Accept.NoPast || c.Accept.Future != (period.Duration{Days: 1}) || c.Invoices.Due != (period.Duration{Months: 1}) {
		t.Errorf("%v %v %v", c.Alerts, c.Accept, c.Invoices.Due)
	}
	if c.Memory != "512MiB" || c.Scratch != "conf/tmp" || !slices.Equal(c.Issuer.Address, []string{"1 Street", "28001 Madrid"}) || c.Issuer.TaxID != "EX123" {
		t.Errorf("%v %v %v", c.Memory, c.Scratch, c.Issuer)
	}
	var names, paths []string
	for _, file := range c.Files() {
		names, paths = append(names, file.Name), append(paths, file.Path)
	}
	if want := []string{"creditmill.yaml", "sources/a.yaml", "sources/b.yaml", "prices/a.yaml", "prices/b.yaml", "plans/p.yaml"}; !slices.Equal(paths, want) {
		t.Errorf("paths %v", paths)
	}
	if names[1] != "conf/sources/a.yaml" {
		t.Errorf("names %v", names)
	}
	sum := sha256.Sum256([]byte("source: a\n"))
	if file := c.Sources[0]; file.SHA256 != hex.EncodeToString(sum[:]) || string(file.Content) != "source: a\n" {
		t.Errorf("%+v", file)
	}
	var jobs []string
	for _, job := range c.Schedule {
		jobs = append(jobs, job.Name)
	}
	if !slices.Equal(jobs, []string{"ingest", "apply", "close", "publish"}) {
		t.Errorf("jobs %v", jobs)
	}
}

// Tests of prices are found like price files, the default may match nothing, and
// no run records them.
func TestFilesOfTestsAreFoundAndNotRecorded(t *testing.T) {
	files := map[string]string{"creditmill.yaml": minimal, "sources/a.yaml": "source: a\n", "tests/b.yaml": "b", "tests/a.yaml": "a", "tests/deep/c.yaml": "c"}
	for _, test := range []struct{ more, want string }{
		{"", "tests/a.yaml tests/b.yaml"},
		{"tests: [tests/*/*.yaml, tests/b.yaml]\n", "tests/b.yaml tests/deep/c.yaml"},
		{"tests: []\n", ""},
	} {
		files["creditmill.yaml"] = minimal + test.more
		folder(t, files)
		c, p := config.Load(".")
		must(t, c, p)
		var paths []string
		for _, file := range c.Tests {
			paths = append(paths, file.Path)
		}
		if got := strings.Join(paths, " "); got != test.want {
			t.Errorf("%q: tests %q, want %q", test.more, got, test.want)
		}
		if recorded := c.Files(); len(recorded) != 2 {
			t.Errorf("recorded: %+v", recorded)
		}
	}
}

func TestScheduleRunsInTheBillingTimeZone(t *testing.T) {
	c, p := load(t, "timezone: America/New_York\nschedule: {close: \"0 6 1 * *\", publish: never}\n")
	must(t, c, p)
	closing := c.Schedule[len(c.Schedule)-1]
	// 06:00 in New York is 10:00 UTC in summer and 11:00 UTC in winter.
	for now, want := range map[string]string{
		"2026-10-01T09:59:59Z": "2026-10-01T10:00:00Z",
		"2026-10-01T10:00:00Z": "2026-11-01T11:00:00Z",
		"2026-12-15T00:00:00Z": "2027-01-01T11:00:00Z",
	} {
		at, _ := period.ParseInstant(now)
		if got := period.FormatInstant(closing.Next(at)); got != want {
			t.Errorf("after %s: %s, want %s", now, got, want)
		}
	}
}

func TestTheWorldsAreRead(t *testing.T) {
	for _, world := range []string{"imagegen", "models", "scraper", "training", "vision"} {
		c, p := config.Load("../../fixtures/" + world)
		must(t, c, p)
		if len(c.Sources) == 0 || len(c.Prices) == 0 || len(c.Catalog) == 0 || c.Issuer.Name == "" {
			t.Errorf("%s: %d sources, %d prices, %d catalog files", world, len(c.Sources), len(c.Prices), len(c.Catalog))
		}
	}
}

func TestFolderNamesAreNoGlobs(t *testing.T) {
	folder(t, map[string]string{"a[1]*/creditmill.yaml": minimal, "a[1]*/sources/x.yaml": "source: x\n", "a1b/sources/y.yaml": "source: y\n"})
	c, p := config.Load("a[1]*")
	must(t, c, p)
	if len(c.Sources) != 1 || c.Sources[0].Path != "sources/x.yaml" {
		t.Errorf("%v", c.Sources)
	}
}
