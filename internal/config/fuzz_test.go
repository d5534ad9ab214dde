package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/creditmill/creditmill/internal/config"
)

// FuzzLoad asserts that no bytes make Load panic, and that a configuration
// without problems is complete.
func FuzzLoad(f *testing.F) {
	world, err := os.ReadFile("../../fixtures/vision/creditmill.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(world)
	for _, seed := range []string{
		minimal, "lake: s3://b/x\n", minimal + "schedule: {ingest: \"TZ=\", rate: \"@every 1h\", close: \"*/0 1-2-3 ? JAN MON\"}\n",
		minimal + "invoices: {number: \"{seq\", due: 6h}\npublish: a/b\nmemory: 1TiB\nalerts: []\nraw:\n", minimal + "sources: [\"[\", \"../*\"]\ntimezone: ../x\n",
	} {
		f.Add([]byte(seed))
	}
	folder := f.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, "sources"), 0o755); err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "sources", "a.yaml"), []byte("source: a\n"), 0o644); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if err := os.WriteFile(filepath.Join(folder, config.FileName), src, 0o644); err != nil {
			t.Fatal(err)
		}
		c, p := config.Load(folder)
		if p.Len() > 0 {
			_ = p.Err().Error()
			return
		}
		if c.Lake.IsZero() || c.FirstPeriod.IsZero() || c.Currency.IsZero() || c.Memory == "" || c.Invoices.Number.Render(2026, 1) == "" {
			t.Errorf("%+v", c)
		}
		for _, job := range c.Schedule {
			if from := c.Calendar.Start(c.FirstPeriod); !job.Next(from).After(from) {
				t.Errorf("%s (%s) does not go on", job.Name, job.Cron)
			}
		}
	})
}
