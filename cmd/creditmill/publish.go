package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/jobs"
)

func (a *app) publishCommand() *cobra.Command {
	var options jobs.PublishOptions
	cmd := &cobra.Command{
		Use:   "publish",
		Short: "Keep a clean copy of the tables, for whatever reads Parquet",
		Long: "Bring the copy of the live tables up to date that `publish:` of the configuration names: TABLE/period=MONTH/,\n" +
			"TABLE/day=DAY/ or TABLE/, with files that are links to the lake's own in a folder, and copies made by the\n" +
			"server on S3. _as_of.json there says what run the copy is of; it is away while the copy changes.\n" +
			"`close`, `rerate --commit`, `compact` and `forget` do this by themselves, and `schedule` does it daily.",
		Example: "  creditmill publish --dry-run\n  creditmill publish",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, done, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			report, err := m.Publish(cmd.Context(), options)
			done()
			if err != nil {
				return err
			}
			a.publishStrays(report)
			if a.json {
				return a.print(newPublishDocument(report, options.DryRun))
			}
			a.published(report, options.DryRun)
			return nil
		},
	}
	cmd.Flags().BoolVar(&options.Full, "full", false, "make every file of the copy anew, whatever is there and whichever log it is of")
	cmd.Flags().BoolVar(&options.DryRun, "dry-run", false, "only say whether the copy is right, and what there is to do")
	return cmd
}

// A publishDocument is what `publish --json` prints. Run is null of a lake without runs.
type publishDocument struct {
	Place     string   `json:"place"`
	Run       *int64   `json:"run"`
	Head      string   `json:"head_sha256"`
	DryRun    bool     `json:"dry_run"`
	Changed   bool     `json:"changed"` // or would be
	Files     int64    `json:"files"`   // of the copy
	Rows      int64    `json:"rows"`
	Linked    int64    `json:"linked_files"`
	Copied    int64    `json:"copied_files"` // in a dry run with those that would be linked
	Rewritten int64    `json:"rewritten_files"`
	Removed   int64    `json:"removed_files"`
	Bytes     int64    `json:"written_bytes"`
	Strays    []string `json:"strays"` // the first
	More      int64    `json:"more_strays"`
}

func newPublishDocument(r jobs.PublishReport, dry bool) publishDocument {
	document := publishDocument{
		Place: r.Place, Head: r.Head, DryRun: dry, Changed: r.Changed, Files: r.Files, Rows: r.Rows,
		Linked: r.Linked, Copied: r.Copied, Rewritten: r.Rewritten, Removed: r.Removed, Bytes: r.Bytes,
		Strays: append([]string{}, r.Strays...), More: r.More,
	}
	if r.Run != 0 {
		document.Run = &r.Run
	}
	return document
}

// published prints what a publish has done, or would do.
func (a *app) published(r jobs.PublishReport, dry bool) {
	place := printable(r.Place)
	switch {
	case r.Run == 0:
		a.printf("The lake has no runs yet: there is nothing to publish.\n")
	case !r.Changed:
		a.printf("%s is as of run %d: %s, %s. Nothing was to be done.\n", place, r.Run, count(r.Files, "file"), count(r.Rows, "row"))
	case dry:
		a.printf("%s is not as of run %d: %s would be linked or copied, %s rewritten, %s removed.\n", place, r.Run, count(r.Copied, "file"), thousands(r.Rewritten), thousands(r.Removed))
		a.printf("Nothing was changed: `creditmill publish` does it.\n")
	default:
		a.printf("%s linked, %s copied, %s rewritten with the columns of today, %s removed.\n", count(r.Linked, "file"), thousands(r.Copied), thousands(r.Rewritten), thousands(r.Removed))
		a.printf("%s is as of run %d: %s, %s.\n", place, r.Run, count(r.Files, "file"), count(r.Rows, "row"))
	}
}

// publishStrays warns of what readers of the copy find besides it.
func (a *app) publishStrays(r jobs.PublishReport) {
	n := int64(len(r.Strays)) + r.More
	if n == 0 {
		return
	}
	a.warnf("%s in %s is not of its making, and left alone: whoever reads all Parquet there reads that too, such as %s", count(n, "object"), printable(r.Place), printable(r.Strays[0]))
}

// keepPublished brings the published copy up to date after a run was committed. The run
// stands whatever comes of it.
func (a *app) keepPublished(ctx context.Context, m *jobs.Mill) {
	err := m.KeepPublished(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		a.warnf("interrupted before the published copy was up to date: `creditmill publish` goes on")
	case err != nil:
		a.warnf("%s", printable(err.Error()))
	}
}
