package jobs

import (
	"context"
	"errors"

	"github.com/creditmill/creditmill/internal/lake"
)

// Verify looks whether a lake is what its runs made of the logs: the hashes of
// everything that runs name and the chain of the log; the rated calls, rated again
// with the configuration of their runs; and the burn-down of every closed period,
// done again; with the identities of SPEC sections 3, 6 and 7. It changes nothing.
// The error is one of reading; what is wrong with the lake is in the report.
//
// A verification takes its time. Where it failed or found faults, and runs that were
// committed meanwhile have deleted files, it begins again: it may have missed those.
func Verify(ctx context.Context, setup *Setup, o Options, v VerifyOptions) (report VerifyReport, err error) {
	for range attempts {
		report, err = verifyOnce(ctx, setup, o, v)
		if err == nil && report.Faults() == 0 || ctx.Err() != nil || report.Runs == 0 {
			break
		}
		deleted, lookErr := deletedSince(ctx, setup, o, report.Runs)
		if lookErr != nil || !deleted {
			break // what was found first is what is said
		}
		o.Log.Info("files were deleted meanwhile, verifying again", "run", report.Runs)
	}
	return report, err
}

// deletedSince reports whether runs after run n have condemned files.
func deletedSince(ctx context.Context, setup *Setup, o Options, n int64) (deleted bool, err error) {
	m, err := openAsIs(ctx, setup, o)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, m.Release()) }()
	err = m.eachRun(ctx, n+1, m.Lake.State().Head, func(run *lake.Run) error {
		deleted = deleted || len(run.Deleted) > 0
		return nil
	})
	return deleted, err
}
