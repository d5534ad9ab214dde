package config_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

// firstLines are the problems without their source lines: "position: message /
// hint".
func firstLines(p *yamlfile.Problems) string {
	var b strings.Builder
	for _, problem := range p.List() {
		fmt.Fprintf(&b, "%s: %s", problem.Position, problem.Message)
		if problem.Hint != "" {
			fmt.Fprintf(&b, " / %s", problem.Hint)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestEveryProblemIsReportedAtOnce: one file with a fault in every key.
func TestEveryProblemIsReportedAtOnce(t *testing.T) {
	folder(t, map[string]string{"creditmill.yaml": `lake: gs://bucket
raw: ["./raw"]
first_period: 2026-13
timezone: Europe/Atlantis
currency: usd
sources: [sources/*.yaml, "[a", 3]
prices: prices/*.yaml
accounts: {unknown: open}
alerts: [80, 80, 0, "90", 99.5]
issuer: {adress: [x]}
invoices: {number: "INV-{yaer}-{seq}", credit: "CN-{year}", debit: "DN {seq}", due: 2 weeks}
close: {grace: 6}
accept: {future: none}
memory: 2
scratch: s3://bucket/tmp
retention: {rejected: forever, kept: 1h}
publish: ../out
schedule:
  ingest: "*/15 * * *"
  rate: "TZ=UTC 20 * * * *"
  close: "0 0 30 2 *"
  rerate: "0 0 1 * *"
colour: blue
`, "sources/a.yaml": "source: a\n"})
	_, p := config.Load(".")
	want := `creditmill.yaml:1:7: there is no storage gs:// / write a folder without gs://, or s3://bucket/prefix
creditmill.yaml:2:6: a text is expected here, not a list
creditmill.yaml:3:15: "2026-13" is no period (a month such as 2026-10)
creditmill.yaml:4:11: "Europe/Atlantis" is no IANA time zone (such as UTC or Europe/Madrid)
creditmill.yaml:5:11: "usd" is no ISO 4217 currency code (three capitals, such as USD)
creditmill.yaml:6:27: "[a" is no glob: a [ has no ]
creditmill.yaml:6:33: a text is expected here, not a number / write it in quotes: "3"
creditmill.yaml:7:9: a list of texts is expected here, not a text / write it as a list of one: ["prices/*.yaml"]
creditmill.yaml:8:21: unknown accounts are held, or opened on a plan / write hold, or {plan: free}
creditmill.yaml:9:14: 80 stands here twice
creditmill.yaml:9:18: a percentage lies between 1 and 1000000
creditmill.yaml:9:21: a whole number is expected here, not a text / write it without quotes
creditmill.yaml:9:27: a whole number is expected here, not 99.5
creditmill.yaml:10:9: issuer needs "name"
creditmill.yaml:10:10: issuer has no key "adress" / did you mean address?
creditmill.yaml:11:20: "INV-{yaer}-{seq}": only {year} and {seq} or {seq:6} may stand in braces
creditmill.yaml:11:48: "CN-{year}" must have {seq} once, such as INV-{year}-{seq:6}
creditmill.yaml:11:68: "DN {seq}": a number is made of letters, digits, dot, underscore and hyphen
creditmill.yaml:11:85: "2 weeks" is no duration (such as 6h, 30m, 14 days or 12 months)
creditmill.yaml:12:16: a duration is expected here, not a number / write its unit: 6 days, 6h
creditmill.yaml:13:18: "none" is no duration (such as 6h, 30m, 14 days or 12 months)
creditmill.yaml:14:9: a size is expected here, not a number / write its unit: 2GB, 2MB
creditmill.yaml:15:10: scratch must be a local folder
creditmill.yaml:16:23: "forever" is no duration (such as 6h, 30m, 14 days or 12 months)
creditmill.yaml:16:32: retention has no key "kept" / there are rejected, superseded
creditmill.yaml:19:11: "*/15 * * *" is no schedule: expected exactly 5 fields, found 4: [*/15 * * *] / write minute, hour, day of month, month and day of week, such as "20 * * * *", or never
creditmill.yaml:20:9: "TZ=UTC 20 * * * *" is no schedule: the time zone is that of the configuration / write minute, hour, day of month, month and day of week, such as "20 * * * *", or never
creditmill.yaml:21:10: "0 0 30 2 *" is no schedule: that time never comes / write minute, hour, day of month, month and day of week, such as "20 * * * *", or never
creditmill.yaml:22:3: schedule has no key "rerate" / did you mean rate?
creditmill.yaml:23:1: the configuration has no key "colour" / did you mean close?
`
	if got := firstLines(p); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestBadConfigurations(t *testing.T) {
	source := map[string]string{"sources/a.yaml": "source: a\n"}
	own := map[string]string{"sources/a.yaml": "source: a\nraw: ./a\n"}
	for _, c := range []struct {
		name, src string
		files     map[string]string
		want      string
	}{
		{"required", "timezone: UTC\n", source, "creditmill.yaml:1:1: the configuration needs \"first_period\"\ncreditmill.yaml:1:1: the configuration needs \"lake\"\n" +
			"creditmill.yaml:1:1: the configuration needs \"raw\", because sources/a.yaml has none of its own / write raw: ./raw, or give each source its own raw\n"},
		{"raw of their own", "lake: l\nfirst_period: 2026-10\n", own, ""},
		{"empty file", "", source, "creditmill.yaml:1:1: the configuration must be a map, not nothing\n"},
		{"no source", minimal, nil, "creditmill.yaml:1:1: there is no source: nothing matches sources/*.yaml / write a file a source into sources/, or name them: sources: [sources/*.yaml]\n"},
		{"glob without a match", minimal + "prices: [prices/*.yml]\n", source, "creditmill.yaml:4:10: \"prices/*.yml\" matches no file / paths are relative to .\n"},
		{"tests without a match", minimal + "tests: [test/*.yaml]\n", source, "creditmill.yaml:4:9: \"test/*.yaml\" matches no file / paths are relative to .\n"},
		{"second document", minimal + "---\nx: 1\n", source, "creditmill.yaml:5:1: a second document where one is expected / remove the line --- and what follows it, or put it into a file of its own\n"},
		{"duplicate key", minimal + "lake: x\n", source, "creditmill.yaml:4:1: the key \"lake\" stands here a second time, first in line 1\n"},
		{
			"raw in the lake", "lake: data\nraw: ./data/raw\nfirst_period: 2026-10\n", source,
			"creditmill.yaml:2:6: raw and lake must not lie within each other (data/raw, data) / put them side by side, as in lake: ./lake and raw: ./raw\n",
		},
		{
			"lake in raw, on S3", "lake: s3://bucket/logs/lake\nraw: s3://bucket/logs\nfirst_period: 2026-10\n", source,
			"creditmill.yaml:2:6: raw and lake must not lie within each other (s3://bucket/logs, s3://bucket/logs/lake) / put them side by side, as in lake: ./lake and raw: ./raw\n",
		},
		{"neighbours are apart", "lake: s3://bucket/logs2\nraw: s3://bucket/logs\nfirst_period: 2026-10\n", source, ""},
		{
			"bucket", "lake: s3://B/x\nraw: s3://bucket/a//b\nfirst_period: 2026-10\n", source,
			"creditmill.yaml:1:7: \"B\" is no name of a bucket / write s3://bucket/prefix\ncreditmill.yaml:2:6: \"a//b\" is no prefix: it has an empty part, . or .. / write s3://bucket/prefix\n",
		},
		{"publish elsewhere", minimal + "publish: s3://bucket/x\n", source, "creditmill.yaml:4:10: publish must be on the same storage as the lake (lake)\n"},
		{"publish in the lake's data", minimal + "publish: data/x\n", source, "creditmill.yaml:4:10: publish must not lie in the lake's own folder data / write published/, or a place that nothing else uses\n"},
		{
			"publish as if beside the configuration", minimal + "publish: ./published\n", source,
			"creditmill.yaml:4:10: a relative path of publish lies within the lake / write published/ for a place within the lake, or a whole path or address, or never\n",
		},
		{"publish in the lake's data, where case does not count", minimal + "publish: Data\n", source, "creditmill.yaml:4:10: publish must not lie in the lake's own folder Data / write published/, or a place that nothing else uses\n"},
		{"publish hidden", minimal + "publish: a/.b\n", source, "creditmill.yaml:4:10: publish must have no part that begins with a dot: readers pass over it / write published/, or a place that nothing else uses\n"},
		{
			"publish around the lake", "lake: s3://bucket/a/lake\nraw: s3://logs\nfirst_period: 2026-10\npublish: s3://bucket/a\n", source,
			"creditmill.yaml:4:10: publish must not be the lake, nor lie around it (s3://bucket/a) / write published/, or a place that nothing else uses\n",
		},
		{
			"publish in the lake's runs by its address", "lake: s3://bucket/a/lake\nraw: s3://logs\nfirst_period: 2026-10\npublish: s3://bucket/a/lake/runs\n", source,
			"creditmill.yaml:4:10: publish must not lie in the lake's own folder runs / write published/, or a place that nothing else uses\n",
		},
		{
			"publish among the logs", "lake: s3://bucket/lake\nraw: s3://logs\nfirst_period: 2026-10\npublish: s3://logs/x\n", source,
			"creditmill.yaml:4:10: publish and raw must not lie within each other (s3://logs/x, s3://logs) / write published/, or a place that nothing else uses\n",
		},
		{"publish beside the lake", "lake: s3://bucket/lake\nraw: s3://logs\nfirst_period: 2026-10\npublish: s3://other/x\n", source, ""},
		{"publish never", minimal + "publish: never\nschedule: {publish: never}\n", source, ""},
		{
			"publish never, every day", minimal + "publish: never\nschedule: {publish: \"@daily\"}\n", source,
			"creditmill.yaml:5:21: there is nothing to publish: no place is named for it / name a place in publish:, or leave this out\n",
		},
		{
			"numbers that meet", minimal + "invoices: {number: \"A{seq}\", credit: \"A1{seq}\"}\n", source,
			"creditmill.yaml:4:38: \"A{seq}\" and \"A1{seq}\" could give two documents one number / let them begin differently, such as INV- and CN-\n",
		},
		{"numbers of one series", minimal + "invoices: {number: \"A-{seq}\", credit: \"A-{seq}\"}\n", source, ""},
		{"unknown plan", minimal + "accounts: {unknown: {plan: \"\", x: 1}}\n", source, "creditmill.yaml:4:28: an empty text\ncreditmill.yaml:4:32: unknown has no key \"x\" / the only one is plan\n"},
		{"little memory", minimal + "memory: 1MB\n", source, "creditmill.yaml:4:9: 1MB is too little: at least 64MiB are needed\n"},
		{
			"wrong kinds", minimal + "issuer: x\nschedule: [a]\nalerts: 80\nclose: 6h\n", source,
			"creditmill.yaml:4:9: issuer must be a map, not a text\ncreditmill.yaml:5:11: schedule must be a map, not a list\n" +
				"creditmill.yaml:6:9: a list of percentages is expected here, not a number / write [80, 100], or [] for none\ncreditmill.yaml:7:8: close must be a map, not a text\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := map[string]string{"creditmill.yaml": c.src}
			for name, content := range c.files {
				files[name] = content
			}
			folder(t, files)
			_, p := config.Load("creditmill.yaml")
			if got := firstLines(p); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestNoConfiguration(t *testing.T) {
	t.Chdir(t.TempDir())
	c, p := config.Load(".")
	want := "creditmill.yaml: the configuration cannot be read: no such file or directory\n    hint: name it with --config, or write one with `creditmill init`"
	if c == nil || fmt.Sprint(p.Err()) != want || len(c.Files()) != 0 {
		t.Errorf("%v", p.Err())
	}
}

func TestUnreadableFileIsAProblem(t *testing.T) {
	c, p := load(t, "")
	must(t, c, p)
	if err := os.Symlink("nowhere", "sources/b.yaml"); err != nil {
		t.Fatal(err)
	}
	_, p = config.Load(".")
	if got := firstLines(p); got != "sources/b.yaml: the file cannot be read: no such file or directory\n" {
		t.Error(got)
	}
}

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		template string
		year     int
		seq      int64
		want     string
		series   string
	}{
		{"INV-{year}-{seq:6}", 2026, 1, "INV-2026-000001", "INV-2026-{seq}"},
		{"INV-{year}-{seq:6}", 2027, 1234567, "INV-2027-1234567", "INV-2027-{seq}"},
		{"{seq}", 2026, 42, "42", "{seq}"},
		{"{seq:3}.{year}_a-{year}", 2026, 7, "007.2026_a-2026", "{seq}.2026_a-2026"},
	} {
		n, err := config.ParseNumber(c.template)
		if err != nil {
			t.Fatal(err)
		}
		if got := n.Render(c.year, c.seq); got != c.want || n.Series(c.year) != c.series || n.String() != c.template {
			t.Errorf("%s: %s, %s, %s", c.template, got, n.Series(c.year), n)
		}
	}
	for _, bad := range []string{"", "INV", "{seq}{seq}", "{seq}-{seq:2}", "{seq:0}", "{seq:19}", "{seq:}", "{month}-{seq}", "a b{seq}", "{seq", "{seq}}", "é{seq}", "{}{seq}", "a/{seq}"} {
		if n, err := config.ParseNumber(bad); err == nil {
			t.Errorf("%q is a template: %+v", bad, n)
		}
	}
}
