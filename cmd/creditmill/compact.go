package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/jobs"
)

func (a *app) compactCommand() *cobra.Command {
	var options jobs.CompactOptions
	cmd := &cobra.Command{
		Use:   "compact",
		Short: "Merge the lake's many small files into few large ones",
		Long: "Merge the small files of days that ended more than two days ago, of months, and of tables without\n" +
			"partitions into files of about 256 MB with the same rows. Usage that is not rated and calls that are held\n" +
			"stay as they are. What was replaced stays in the lake until `creditmill gc --delete`.",
		Example: "  creditmill compact --dry-run\n  creditmill compact",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, done, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			report, err := m.Compact(cmd.Context(), options)
			if report.Run() != nil {
				a.keepPublished(cmd.Context(), m)
			}
			done()
			if err != nil && report.Run() == nil {
				return err
			}
			if a.json {
				if printed := a.print(newCompactDocument(report, options.DryRun)); printed != nil {
					return printed
				}
				return err
			}
			a.compacted(report, options.DryRun)
			return err
		},
	}
	cmd.Flags().BoolVar(&options.DryRun, "dry-run", false, "only say what would be merged")
	return cmd
}

// A compactDocument is what `compact --json` prints. Runs is empty when nothing was
// committed; what a merge comes to in bytes is null in a dry run.
type compactDocument struct {
	Runs       []int64             `json:"runs"`
	DryRun     bool                `json:"dry_run"`
	Partitions []compactedDocument `json:"partitions"`
}

type compactedDocument struct {
	Table       string  `json:"table"`
	Partition   *string `json:"partition"`
	Rows        int64   `json:"rows"`
	FilesBefore int     `json:"files_before"`
	FilesAfter  int     `json:"files_after"`
	BytesBefore int64   `json:"bytes_before"`
	BytesAfter  *int64  `json:"bytes_after"`
}

func newCompactDocument(r jobs.CompactReport, dry bool) compactDocument {
	document := compactDocument{Runs: []int64{}, DryRun: dry, Partitions: []compactedDocument{}}
	for _, run := range r.Runs {
		document.Runs = append(document.Runs, run.Number)
	}
	for _, p := range r.Partitions {
		partition := compactedDocument{p.Table, optional(p.Partition), p.Rows, p.Before, p.After, p.BytesBefore, nil}
		if !dry {
			partition.BytesAfter = &p.BytesAfter
		}
		document.Partitions = append(document.Partitions, partition)
	}
	return document
}

// compacted prints what a compaction has done, or would do.
func (a *app) compacted(r jobs.CompactReport, dry bool) {
	if len(r.Partitions) == 0 {
		a.printf("Nothing is to be merged.\n")
		return
	}
	total := r.Total()
	merged := "Merged"
	if dry {
		merged = "Would merge"
	}
	a.printf("%s %s into %s.\n\n", merged, count(int64(total.Before), "file"), grouped(strconv.Itoa(total.After)))
	grid := newGrid("table", "partition", "rows", "files", "into", "bytes", "into").numbers(2, 3, 4, 5, 6)
	for _, p := range r.Partitions {
		after := ""
		if !dry {
			after = grouped(strconv.FormatInt(p.BytesAfter, 10))
		}
		grid.add(p.Table, p.Partition, grouped(strconv.FormatInt(p.Rows, 10)), grouped(strconv.Itoa(p.Before)), grouped(strconv.Itoa(p.After)),
			grouped(strconv.FormatInt(p.BytesBefore, 10)), after)
	}
	a.printf("%s\n", grid)
	switch n := len(r.Runs); {
	case dry:
		a.printf("Nothing was changed: `creditmill compact` does it.\n")
	case n == 1:
		a.printf("Committed as run %d.\n", r.Runs[0].Number)
	default:
		a.printf("Committed as runs %d to %d.\n", r.Runs[0].Number, r.Runs[n-1].Number)
	}
}
