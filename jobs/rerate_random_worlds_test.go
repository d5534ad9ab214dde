package jobs_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"testing"

	"github.com/creditmill/creditmill/fixtures"
	"github.com/creditmill/creditmill/jobs"
)

// Every world of fixtures, re-rated from its first month on after the steps of its
// demo, says again what its closes said: in each all that counts was known in time.
func TestWorldsReratedSayNothing(t *testing.T) {
	t.Parallel()
	stepLine := regexp.MustCompile(`- \{command: (\w+),(?: period: (\S+),)? now: (\S+)\}`)
	for _, name := range fixtures.Worlds() {
		t.Run(name, func(t *testing.T) {
			world, err := fixtures.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			s := site{t, t.TempDir()}
			if err := os.CopyFS(s.dir, world); err != nil {
				t.Fatal(err)
			}
			demo, err := fs.ReadFile(world, "demo.yaml")
			if err != nil {
				t.Fatal(err)
			}
			var now string
			for _, line := range stepLine.FindAllStringSubmatch(string(demo), -1) {
				now = line[3]
				s.run([]step{{now, worldStep(line[1], line[2])}})
			}
			closings := s.at(now).Lake.State().Closings()
			if len(closings) == 0 {
				t.Fatal("no period was closed")
			}
			report, differences := s.rerate(now, jobs.RerateOptions{From: closings[0].Period, Commit: true, Reason: "to look"})
			if report.Run != nil || len(differences) > 0 || report.Calls == 0 {
				t.Errorf("%d calls, run %+v, differences %q", report.Calls, report.Run, differences)
			}
			if notes := s.ask(`SELECT number FROM invoices WHERE kind <> 'invoice'`); len(notes) > 0 {
				t.Errorf("notes %q", notes)
			}
		})
	}
}

// worldStep is a step of a demo.
func worldStep(command, period string) func(context.Context, *jobs.Mill) error {
	return func(ctx context.Context, m *jobs.Mill) (err error) {
		switch command {
		case "ingest":
			_, err = m.Ingest(ctx)
		case "rate":
			_, err = m.Rate(ctx)
		case "apply":
			_, err = m.Apply(ctx)
		case "close":
			var report jobs.CloseReport
			report, err = m.Close(ctx, jobs.CloseOptions{Period: mustPeriod(period)})
			if err == nil && len(report.Blocks) > 0 {
				err = fmt.Errorf("blocked: %+v", report.Blocks)
			}
		default:
			err = fmt.Errorf("no step %s", command)
		}
		return err
	}
}
