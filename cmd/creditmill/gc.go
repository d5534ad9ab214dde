package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/jobs"
)

func (a *app) gcCommand() *cobra.Command {
	var options jobs.GCOptions
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Say what nobody needs any more, or delete it",
		Long: "Say which objects of the lake nobody needs any more: files that were replaced longer ago than\n" +
			"retention.superseded of the configuration, and files that no run names. With --delete they are deleted, and\n" +
			"accepted rejects older than retention.rejected lose their raw text. What is live, and what issued documents\n" +
			"are made of, always stays.",
		Example: "  creditmill gc\n  creditmill gc --delete",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, done, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			report, err := m.GC(cmd.Context(), options)
			done()
			if err != nil && report.Files() == 0 && report.Run == nil {
				return err
			}
			if a.json {
				if printed := a.print(newGCDocument(report)); printed != nil {
					return printed
				}
				return err
			}
			a.collected(report)
			return err
		},
	}
	cmd.Flags().BoolVar(&options.Delete, "delete", false, "delete it, instead of saying what would be deleted")
	return cmd
}

// A gcDocument is what `gc --json` prints. Run is null when nothing was committed.
type gcDocument struct {
	Run     *int64            `json:"run"`
	Deleted bool              `json:"deleted"` // false: a dry run
	Files   int64             `json:"files"`
	Bytes   int64             `json:"bytes"`
	Groups  []gcGroupDocument `json:"groups"`
	Raws    gcRawsDocument    `json:"raw_text"`
	Strays  []string          `json:"strays"` // the first
	More    int64             `json:"more_strays"`
}

type gcGroupDocument struct {
	Place  string `json:"place"`
	Reason string `json:"reason"`
	Files  int64  `json:"files"`
	Bytes  int64  `json:"bytes"`
}

type gcRawsDocument struct {
	Files int64 `json:"files"`
	Rows  int64 `json:"rows"`
}

func newGCDocument(r jobs.GCReport) gcDocument {
	document := gcDocument{
		Run: number(r.Run), Deleted: r.Deleted, Files: r.Files(), Bytes: r.Bytes(), Groups: []gcGroupDocument{},
		Raws: gcRawsDocument(r.Raws), Strays: append([]string{}, r.Strays...), More: r.More,
	}
	for _, g := range r.Groups {
		document.Groups = append(document.Groups, gcGroupDocument{g.Place, string(g.Reason), g.Files, g.Bytes})
	}
	return document
}

// gcReasons say to a person why objects go.
var gcReasons = map[jobs.GCReason]string{
	jobs.GCReplaced:  "replaced longer ago than retention.superseded",
	jobs.GCUnnamed:   "no run names it",
	jobs.GCCondemned: "condemned by an earlier run",
	jobs.GCSpare:     "left over",
}

// collected prints what a gc has done, or would do.
func (a *app) collected(r jobs.GCReport) {
	drops, deletes := "Would drop", "Would delete"
	if r.Deleted {
		drops, deletes = "Dropped", "Deleted"
	}
	if r.Raws.Files > 0 {
		a.printf("%s the raw text of %s: accepted, and older than retention.rejected.\n", drops, count(r.Raws.Rows, "reject"))
	}
	if r.Files() > 0 {
		a.printf("%s %s of %s.\n\n", deletes, count(r.Files(), "object"), count(r.Bytes(), "byte"))
		grid := newGrid("of", "why", "objects", "bytes").numbers(2, 3)
		for _, g := range r.Groups {
			grid.add(g.Place, gcReasons[g.Reason], grouped(strconv.FormatInt(g.Files, 10)), grouped(strconv.FormatInt(g.Bytes, 10)))
		}
		a.printf("%s\n", grid)
	}
	switch {
	case r.Files() == 0 && r.Raws.Files == 0:
		a.printf("Nothing is to be deleted.\n")
	case !r.Deleted:
		a.printf("Nothing was changed: `creditmill gc --delete` does it.\n")
	case r.Run != nil:
		a.printf("Committed as run %d.\n", r.Run.Number)
	}
	if n := int64(len(r.Strays)) + r.More; n > 0 {
		a.printf("%s not of the lake's making, and left alone:\n", areOthers(n))
		for _, key := range r.Strays {
			a.printf("  %s\n", printable(key))
		}
		if r.More > 0 {
			a.printf("  and %s more\n", grouped(strconv.FormatInt(r.More, 10)))
		}
	}
}

func areOthers(n int64) string {
	if n == 1 {
		return "1 object is"
	}
	return count(n, "object") + " are"
}
