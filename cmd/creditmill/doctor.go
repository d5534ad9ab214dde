package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/jobs"
)

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Try the stores, the clock, scratch and memory, and say what is wrong",
		Long: "Look whether the stores that the configuration names and this machine do what creditmill needs: list, read,\n" +
			"and for the lake write, delete, and a race in which one of many writers must win. What is written lies under\n" +
			"doctor/ in the lake and is removed. Ends with 1 if something is wrong; a warning is not.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			setup, err := jobs.LoadSetup(a.config)
			if err != nil {
				return err
			}
			// Not --now: the machine's clock is one of the patients.
			findings, err := jobs.Doctor(cmd.Context(), setup, a.clock)
			if err != nil {
				return err
			}
			if a.json {
				err = a.print(newDoctorDocument(findings))
			} else {
				a.findings(findings)
			}
			if n := wrong(findings); n > 0 && err == nil {
				err = errors.New(areThings(n) + " wrong")
			}
			return err
		},
	}
}

// wrong is how many of the findings are.
func wrong(findings []jobs.Finding) (n int) {
	for _, f := range findings {
		if f.State == jobs.Wrong {
			n++
		}
	}
	return n
}

// A doctorDocument is what `doctor --json` prints. State is ok, warning or wrong.
type doctorDocument struct {
	OK     bool              `json:"ok"` // nothing is wrong; warnings there may be
	Checks []findingDocument `json:"checks"`
}

type findingDocument struct {
	What  string  `json:"what"`
	Check string  `json:"check"`
	State string  `json:"state"`
	Found string  `json:"found"`
	Next  *string `json:"next"`
}

func newDoctorDocument(findings []jobs.Finding) doctorDocument {
	document := doctorDocument{OK: wrong(findings) == 0}
	for _, f := range findings {
		document.Checks = append(document.Checks, findingDocument{f.What, f.Check, string(f.State), f.Found, optional(f.Next)})
	}
	return document
}

// findings prints a table, and under it in full what is not fine.
func (a *app) findings(findings []jobs.Finding) {
	grid := newGrid("what", "check", "", "found")
	for _, f := range findings {
		found := f.Found
		if f.State != jobs.Fine {
			found = "see below"
		}
		grid.add(f.What, f.Check, string(f.State), found)
	}
	a.printf("%s\n", grid)
	fine := true
	for _, f := range findings {
		if f.State == jobs.Fine {
			continue
		}
		fine = false
		text := string(f.State) + ": " + f.What + ", " + f.Check + ": " + f.Found
		if f.Next != "" {
			text += ": " + f.Next
		}
		a.printf("  %s\n", printable(text))
	}
	if fine {
		a.printf("  All is fine.\n")
	}
}
