package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
)

// guarded starts a guard with a policy of docs/security.md, whose two buckets are
// one here.
func guarded(t *testing.T, server *storetest.S3Server, name string) *storetest.Guard {
	t.Helper()
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)<!-- policy: " + name + " -->\n```json\n(.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatalf("docs/security.md has no policy %s", name)
	}
	policy, err := storetest.ParsePolicy(string(block[1]), strings.NewReplacer("example-billing", server.Bucket, "example-logs", server.Bucket))
	if err != nil {
		t.Fatal(err)
	}
	return storetest.NewGuard(t, server.Endpoint, policy)
}

// Every JSON block of the document can be pasted as it stands.
func TestJSONOfTheSecurityDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllSubmatch(text, -1)
	if len(blocks) != 4 {
		t.Errorf("%d blocks", len(blocks))
	}
	for _, block := range blocks {
		if !json.Valid(block[1]) {
			t.Errorf("no JSON:\n%s", block[1])
		}
	}
}

// A month runs under the very policies that docs/security.md has: every request is
// held against them.
func TestAMonthUnderThePoliciesOfTheDocs(t *testing.T) {
	server := storetest.StartS3(t)
	storetest.SetEnvironment(t, server.Endpoint)
	dir := filepath.Join(t.TempDir(), "shop")
	config := filepath.Join(dir, defaultConfig)
	const now = "2026-11-15T12:00:00Z"
	call(t, "init", dir, "--now", now)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`(?m)^(lake|raw): \S+`).ReplaceAll(text, []byte("$1: "+server.Address("$1")))
	if err := os.WriteFile(config, append(text, "scratch: ./scratch\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	logs, err := lake.NewS3(t.Context(), server.Bucket, "raw", lake.S3Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"gateway/sample.jsonl", "accounts/sample.jsonl"} {
		if err := logs.Upload(t.Context(), key, filepath.Join(dir, "raw", key)); err != nil {
			t.Fatal(err)
		}
	}
	as := func(role string, statements []string, commands ...[]string) *storetest.Guard {
		guard := guarded(t, server, role)
		storetest.SetEnvironment(t, guard.URL)
		for _, command := range commands {
			call(t, append(command, "--config", config, "--now", now)...)
		}
		if denied := guard.Denied(); len(denied) > 0 {
			t.Errorf("%s were denied %q", role, denied)
		}
		for _, sid := range statements {
			if !guard.Used(sid) {
				t.Errorf("%s need no statement %s", role, sid)
			}
		}
		return guard
	}
	jobs := as("jobs", []string{"List", "ReadLogs", "ReadAndCreate", "DeleteCopies"},
		[]string{"ingest"}, []string{"rate"}, []string{"apply"}, []string{"close"}, []string{"status"},
		[]string{"void", "--event", "r-001", "--reason", "logged twice"}, []string{"rerate", "--from", "2026-10"}, []string{"rerate", "--from", "2026-10", "--commit", "--reason", "a void"},
		[]string{"compact"}, []string{"publish", "--full"}, []string{"verify"})
	analysts := as("analysts", []string{"List", "Read"},
		[]string{"query", "SELECT sum(credits) FROM rated"}, []string{"invoice", "INV-2026-000001"}, []string{"balance", "acme"}, []string{"runs"}, []string{"files", "usage"},
		[]string{"export", "balances", "--to", filepath.Join(dir, "b.csv")}, []string{"held"}, []string{"rejects"}, []string{"rerate", "--from", "2026-10"})
	keepers := as("keepers", []string{"List", "ReadAndCreate", "Delete"},
		[]string{"verify", "--quick"}, []string{"forget", "--account", "hobby", "--reason", "asked to"}, []string{"gc", "--delete"}, []string{"compact"})

	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	for role, guard := range map[string]*storetest.Guard{"jobs": jobs, "analysts": analysts, "keepers": keepers} {
		storetest.SetEnvironment(t, guard.URL)
		books, err := lake.NewS3(t.Context(), server.Bucket, "lake", lake.S3Options{})
		if err != nil {
			t.Fatal(err)
		}
		logs, err := lake.NewS3(t.Context(), server.Bucket, "raw", lake.S3Options{})
		if err != nil {
			t.Fatal(err)
		}
		refused := map[string]error{
			"overwriting a manifest": books.Upload(t.Context(), "runs/0000000001.json", file), "deleting a manifest": books.Delete(t.Context(), "runs/0000000001.json"),
			"deleting a configuration": books.Delete(t.Context(), "configs/x"), "writing a log": logs.CreateIfAbsent(t.Context(), "gateway/new.jsonl", nil), "deleting a log": logs.Delete(t.Context(), "gateway/sample.jsonl"),
		}
		if role != "keepers" {
			refused["deleting a file"] = books.Delete(t.Context(), "data/usage/x.parquet")
		} else if err := books.Delete(t.Context(), "data/usage/x.parquet"); err != nil {
			t.Errorf("%s: deleting a file: %v", role, err)
		}
		created := books.CreateIfAbsent(t.Context(), "runs/0000000001.json", []byte("{}"))
		if role == "analysts" {
			refused["creating"] = created
		} else if !errors.Is(created, lake.ErrExists) {
			t.Errorf("%s: creating a manifest that is there: %v", role, created)
		}
		for what, err := range refused {
			if err == nil || !strings.Contains(err.Error(), "let these credentials do s3:") {
				t.Errorf("%s: %s: %v", role, what, err)
			}
		}
	}
}
