package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/creditmill/creditmill/internal/lake/storetest"
)

// No credential is printed, kept in the lake or left in the folder of the
// configuration, whether the store accepts it or not.
func TestNoSecretIsPrintedOrKept(t *testing.T) {
	server := storetest.StartS3(t)
	dir := filepath.Join(t.TempDir(), "shop")
	config := filepath.Join(dir, defaultConfig)
	const now = "2026-11-15T12:00:00Z"
	call(t, "init", dir, "--now", now)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`(?m)^lake: \S+`).ReplaceAll(text, []byte("lake: "+server.Address("secrets")))
	if err := os.WriteFile(config, append(text, "scratch: ./scratch\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(server.Endpoint, "http://")
	secrets := []string{storetest.S3SecretKey, "canary-secret-key", "canary-token", "canary-user", "canary-password"}
	var said bytes.Buffer
	for _, c := range []struct {
		endpoint    string
		environment map[string]string
		refused     bool
	}{
		{"http://canary-user:canary-password@" + host, nil, false},
		{server.Endpoint, map[string]string{"AWS_SECRET_ACCESS_KEY": "canary-secret-key"}, true},
		{server.Endpoint, map[string]string{"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "canary-secret-key", "AWS_SESSION_TOKEN": "canary-token"}, true},
		{"http://canary-user:canary-password@127.0.0.1:1", nil, true},
		{"http://canary-user:canary-password@127.0.0.1:none", nil, true},
		{"canary-user:canary-password", nil, true},
		{"http://canary-user:canary-password@", nil, true},
	} {
		storetest.SetEnvironment(t, c.endpoint)
		for name, value := range c.environment {
			t.Setenv(name, value)
		}
		commands := [][]string{{"ingest"}, {"rate"}, {"apply"}, {"close"}, {"status"}, {"runs", "--json"}, {"files", "usage"}, {"doctor"}, {"verify", "--quick"}, {"query", "SELECT * FROM rated"}}
		if c.refused {
			commands = [][]string{{"ingest"}, {"doctor", "--json"}}
		}
		if c.endpoint == "http://canary-user:canary-password@127.0.0.1:1" {
			commands = [][]string{{"status"}} // its attempts take a while
		}
		for _, command := range commands {
			a := &app{name: "creditmill", stdout: &said, stderr: &said, clock: time.Now}
			code := a.run(context.Background(), append(command, "--config", config, "--now", now))
			if (code != exitDone) != c.refused {
				t.Errorf("%q at %s: exit code %d\n%s", command, c.endpoint, code, said.String())
			}
		}
	}
	contents := map[string][]byte{"what was printed": said.Bytes()}
	listed, err := server.Client().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &server.Bucket})
	if err != nil || len(listed.Contents) < 10 {
		t.Fatalf("%d objects, %v", len(listed.Contents), err)
	}
	for _, object := range listed.Contents {
		got, err := server.Client().GetObject(t.Context(), &s3.GetObjectInput{Bucket: &server.Bucket, Key: object.Key})
		if err != nil {
			t.Fatal(err)
		}
		if contents[*object.Key], err = io.ReadAll(got.Body); err != nil {
			t.Fatal(err)
		}
	}
	err = filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			contents[path], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for where, content := range contents {
		for _, secret := range secrets {
			if at := bytes.Index(content, []byte(secret)); at >= 0 {
				t.Errorf("%s holds %s: …%s", where, secret, content[max(0, at-200):at])
			}
		}
	}
}
