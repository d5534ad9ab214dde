package jobs_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/invoice/document"
	"github.com/creditmill/creditmill/jobs"
)

// documents writes the documents of a selection in all formats and returns the files.
func (s site) documents(selection document.Selection) map[string][]byte {
	s.t.Helper()
	folder := s.t.TempDir()
	_, err := s.at("2026-12-02T07:00:00Z").WriteDocuments(s.t.Context(), selection, document.Files{Folder: folder, Formats: document.Formats()})
	if err != nil {
		s.t.Fatal(err)
	}
	files := map[string][]byte{}
	entries, err := os.ReadDir(folder)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, entry := range entries {
		if files[entry.Name()], err = os.ReadFile(filepath.Join(folder, entry.Name())); err != nil {
			s.t.Fatal(err)
		}
	}
	return files
}

// SPEC section 7, Documents: made from the committed tables, the same whenever they are
// made again, whatever has happened since; party and address as at the period's end.
func TestDocumentsAreTheSameMonthsLater(t *testing.T) {
	s := newSite(t, tiny)
	s.run(month)
	want := s.documents(document.Selection{Period: october})
	if len(want) != 6 {
		t.Fatalf("%d files", len(want))
	}
	s.write("raw/accounts/2026-11.jsonl", `
{"id":"n1","type":"account.updated","account":"ada","at":"2026-11-03T00:00:00Z","name":"Another name"}
{"id":"n2","type":"account.updated","account":"bob","at":"2026-10-03T00:00:00Z","name":"Too late"}
`)
	s.write("raw/calls/9.jsonl", `
{"id":"late","ts":"2026-10-22T10:00:00Z","org":"ada","op":"image.generate","n":1}
{"id":"next","ts":"2026-11-22T10:00:00Z","org":"ada","op":"image.generate","n":1}
`)
	report, err := s.at("2026-12-01T07:00:00Z").Close(t.Context(), jobs.CloseOptions{})
	if err != nil || report.Run == nil {
		t.Fatalf("%+v, %v", report.Blocks, err)
	}
	all := s.documents(document.Selection{})
	for name, content := range want {
		if !bytes.Equal(all[name], content) {
			t.Errorf("%s has changed", name)
		}
	}
	if november := string(all["INV-2026-000003.html"]); !strings.Contains(november, "Another name") || len(all) <= len(want) {
		t.Errorf("November's documents are not there, or have an old name: %d files", len(all))
	}
	one := s.documents(document.Selection{Numbers: []string{"INV-2026-000002"}})
	if len(one) != 3 || !bytes.Equal(one["INV-2026-000002.pdf"], want["INV-2026-000002.pdf"]) {
		t.Errorf("one by its number is not as among others: %d files", len(one))
	}
}

func TestDocumentsOfNothing(t *testing.T) {
	s := newSite(t, tiny)
	s.run(month[:2])
	if files := s.documents(document.Selection{Period: october}); len(files) != 0 {
		t.Errorf("%d files before any close", len(files))
	}
	_, err := s.at("2026-11-01T07:00:00Z").Documents(t.Context(), document.Selection{Numbers: []string{"INV-2026-000001"}})
	if missing := new(document.NotFoundError); !errors.As(err, missing) || !slices.Equal(missing.Numbers, []string{"INV-2026-000001"}) {
		t.Error(err)
	}
}
