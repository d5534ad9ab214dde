package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/creditmill/creditmill/internal/lake/storetest"
)

const duelAccounts = 12

// duelTotal is the invoice of account n by hand: 3 calls of n images at 2 credits,
// 10 of them in the plan for 10.00, the rest 0.50 each.
func duelTotal(n int) string {
	return fmt.Sprintf("%d.0000", 10+max(0, 6*n-10)/2)
}

// A duel is a small world for processes at once: its lake and its logs lie in a
// folder or in object storage.
type duel struct {
	t      *testing.T
	dir    string
	prefix string
	server *storetest.S3Server // nil: a folder
	env    []string
}

func newDuel(t *testing.T, server *storetest.S3Server, name string) *duel {
	t.Helper()
	d := &duel{t: t, dir: t.TempDir(), server: server, env: os.Environ()}
	places := "lake: ./lake\nraw: ./raw\n"
	if server != nil {
		d.prefix = name
		places = fmt.Sprintf("lake: %s\nraw: %s\nscratch: ./scratch\n", server.Address(name+"/lake"), server.Address(name+"/raw"))
		for key, value := range storetest.Environment(server.Endpoint) {
			d.env = append(d.env, key+"="+value)
		}
	}
	for file, text := range map[string]string{
		"creditmill.yaml": places + `
first_period: 2026-10
sources: [sources/*.yaml]
prices: [prices.yaml]
catalog: [plans.yaml]
`,
		"sources/calls.yaml":    "source: calls\npath: calls/*.jsonl\nformat: jsonl\nevent: {id: id, time: ts, account: org, operation: op}\nquantities: {images: n}\n",
		"sources/accounts.yaml": "source: accounts\npath: accounts/*.jsonl\nformat: accounts\n",
		"prices.yaml": `
table: api
version: 1
effective_from: 2026-01-01T00:00:00Z
applies_to: ["image.*"]
rules: [{operation: image.generate, charge: {each: images, credits: 2}}]
`,
		"plans.yaml": `
plan: basic
version: 1
effective_from: 2026-01-01T00:00:00Z
fee: {USD: "10.00"}
allowance: 10
renews: calendar
overage: {per: 1, price: {USD: "0.50"}, protection: false}
`,
	} {
		path := filepath.Join(d.dir, file)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	var accounts, calls strings.Builder
	for n := 1; n <= duelAccounts; n++ {
		for i, kind := range []string{`"account.opened","name":"Duel"`, `"subscription.started","plan":"basic"`} {
			fmt.Fprintf(&accounts, `{"id":"%d-%d","account":"duel-%02d","at":"2026-10-01T00:00:00Z","type":%s}`+"\n", n, i, n, kind)
		}
		for i := range 3 {
			fmt.Fprintf(&calls, `{"id":"%d-%d","ts":"2026-10-%02dT12:00:00Z","org":"duel-%02d","op":"image.generate","n":%d}`+"\n", n, i, 10+5*i, n, n)
		}
	}
	d.land("accounts/all.jsonl", accounts.String())
	d.land("calls/all.jsonl", calls.String())
	return d
}

// land puts a log where ingest finds it, whole at once.
func (d *duel) land(key, text string) {
	d.t.Helper()
	if d.server != nil {
		object := d.prefix + "/raw/" + key
		_, err := d.server.Client().PutObject(d.t.Context(), &s3.PutObjectInput{Bucket: &d.server.Bucket, Key: &object, Body: strings.NewReader(text)})
		if err != nil {
			d.t.Error(err)
		}
		return
	}
	path := filepath.Join(d.dir, "raw", filepath.FromSlash(key))
	if err := errors.Join(
		os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path+".part", []byte(text), 0o600), os.Rename(path+".part", path),
	); err != nil {
		d.t.Error(err)
	}
}

// What a process said and how it ended.
type said struct {
	out, err string
	code     int
}

// try runs a command in a process of its own.
func (d *duel) try(command string, args ...string) said {
	d.t.Helper()
	cmd := exec.Command("creditmill", append([]string{command, "--config", filepath.Join(d.dir, defaultConfig)}, args...)...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = d.env, &out, &errs
	exit := new(exec.ExitError)
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		d.t.Errorf("creditmill %s: %v", command, err)
		return said{code: -1}
	}
	return said{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

func (d *duel) must(command string, args ...string) string {
	d.t.Helper()
	s := d.try(command, args...)
	if s.code != exitDone {
		d.t.Fatalf("creditmill %s %q ends with %d\n%s%s", command, args, s.code, s.out, s.err)
	}
	return s.out
}

// commits runs a job that may lose to others.
func (d *duel) commits(command, now string) {
	if s := d.try(command, "--now", now); s.code != exitDone && s.code != exitLost {
		d.t.Errorf("%s ends with %d\n%s%s", command, s.code, s.out, s.err)
	}
}

// query returns the rows of a query as CSV without its header.
func (d *duel) query(statement string) string {
	d.t.Helper()
	_, rows, _ := strings.Cut(d.must("query", "--format", "csv", statement), "\n")
	return rows
}

// billing is every row that the close of October wrote, and October's calls.
func (d *duel) billing() string {
	d.t.Helper()
	var rows []string
	for _, table := range []string{"rated", "burns", "ledger", "balances", "alerts", "invoices", "invoice_lines", "statements", "revenue"} {
		rows = append(rows, "SELECT '"+table+"' AS name, CAST(t AS VARCHAR) AS row FROM "+table+" t WHERE period = '2026-10'")
	}
	return d.query(strings.Join(rows, " UNION ALL ") + " ORDER BY ALL")
}

func (d *duel) runKinds() map[string]int {
	d.t.Helper()
	var document struct {
		Runs []struct{ Kind string }
	}
	if err := json.Unmarshal([]byte(d.must("runs", "--json", "--limit", "100000")), &document); err != nil {
		d.t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, run := range document.Runs {
		kinds[run.Kind]++
	}
	return maps.Clone(kinds)
}

// killWhenThereIs starts a command and kills it when a run can be seen in the log. It
// reports whether it was still at work.
func (d *duel) killWhenThereIs(run int, command string, args ...string) bool {
	d.t.Helper()
	cmd := exec.Command("creditmill", append([]string{command, "--config", filepath.Join(d.dir, defaultConfig)}, args...)...)
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	for {
		select {
		case <-ended:
			return false
		default:
		}
		if _, err := os.Stat(filepath.Join(d.dir, "lake", "runs", fmt.Sprintf("%010d.json", run))); err == nil {
			_ = cmd.Process.Kill()
			<-ended
			return !cmd.ProcessState.Exited()
		}
		time.Sleep(100 * time.Microsecond)
	}
}
