package main

import (
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"testing"
)

// With --json every command prints exactly one JSON document, in which numbers
// that may have a fraction are strings.
func TestEveryCommandPrintsOneJSONDocument(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "shop")
	config := filepath.Join(dir, defaultConfig)
	for _, line := range []string{
		"init " + dir, "check", "try gateway " + filepath.Join(dir, "raw", "gateway", "sample.jsonl"),
		"ingest", "ingest", "ingest --again gateway", "rate", "rate", "apply", "apply", "status", "close", "close", "close --period 2026-10", "rerate --from 2026-10", "rerate --from 2026-10 --prices " + filepath.Join(dir, "prices", "api.yaml") + " --account acme",
		"status", "runs", "runs show 1", "held", "rejects", "balance acme", "prices show", "prices show --all", "prices diff api@1 api@1 --period 2026-10", "balance hobby --limit 1",
		"explain INV-2026-000001", "explain INV-2026-000001/1", "verify", "invoice INV-2026-000001", "invoice --period 2026-10 --to " + filepath.Join(dir, "out"), "invoice --period 2026-11 --to " + filepath.Join(dir, "out"),
		"query VALUES(1.5)", "files usage", "files usage --period 2020-01-01", "version",
		"balance acme --period 2026-11", "export usage --account acme --period 2026-10", "export usage --account acme --period 2026-11",
		"export invoices --period 2026-10", "export rejected --to " + filepath.Join(dir, "rejected.csv"),
	} {
		args := append(strings.Fields(line), "--config", config, "--now", "2026-11-15T12:00:00Z", "--json")
		decoder := json.NewDecoder(strings.NewReader(call(t, args...)))
		decoder.UseNumber()
		var document map[string]any
		if err := decoder.Decode(&document); err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if _, err := decoder.Token(); err != io.EOF {
			t.Errorf("%s: something follows the document: %v", line, err)
		}
		eachNumber(document, func(n json.Number) {
			if strings.ContainsAny(n.String(), ".eE") {
				t.Errorf("%s: a number with a fraction: %s", line, n)
			}
		})
	}
}

func eachNumber(value any, visit func(json.Number)) {
	switch v := value.(type) {
	case json.Number:
		visit(v)
	case []any:
		for _, item := range v {
			eachNumber(item, visit)
		}
	case map[string]any:
		for _, item := range v {
			eachNumber(item, visit)
		}
	}
}
