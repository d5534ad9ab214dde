package main

import (
	"fmt"

	"github.com/creditmill/creditmill/internal/yamlfile"
	"github.com/creditmill/creditmill/jobs"
)

// A warningDocument is something of the configuration that may stand as it is but is
// surely not meant.
type warningDocument struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

func newWarningDocuments(warnings []yamlfile.Problem) []warningDocument {
	documents := make([]warningDocument, 0, len(warnings))
	for _, w := range warnings {
		documents = append(documents, warningDocument{w.File, w.Line, w.Column, w.Message, w.Hint})
	}
	return documents
}

// warnOf shows warnings as errors are shown, but for the word.
func (a *app) warnOf(warnings []yamlfile.Problem) {
	for _, w := range warnings {
		hint := w.Hint
		w.Hint = ""
		a.warnf("%s", printableLines(w.String()))
		a.hint(hint)
	}
}

// refusedWarnings is the error of `check --strict` where there are warnings.
func refusedWarnings(warnings []yamlfile.Problem, strict bool) error {
	if !strict || len(warnings) == 0 {
		return nil
	}
	return jobs.ConfigError{Err: fmt.Errorf("%s, and --strict allows none", count(int64(len(warnings)), "warning"))}
}
