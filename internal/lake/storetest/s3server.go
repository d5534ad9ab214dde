package storetest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// An S3Server is a real S3 server, versitygw over a temporary folder, with one
// bucket and one pair of credentials. It ends with the test that started it.
type S3Server struct {
	Endpoint string // http://127.0.0.1:PORT
	Bucket   string
}

// The credentials and the region of every S3Server.
const (
	S3AccessKey = "creditmill-test"
	S3SecretKey = "not-a-secret-of-anyone"
	S3Region    = "us-east-1"
)

const (
	// serverStart is how long a server may take to answer on a busy machine.
	serverStart = 30 * time.Second
	serverPoll  = 5 * time.Millisecond
)

// StartS3 builds the server, which Go keeps, and starts it. A server that cannot
// be built or started fails the test.
func StartS3(t testing.TB) *S3Server {
	t.Helper()
	program, err := serverProgram()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	// A file system without extended attributes wants them in a folder of their own.
	for _, more := range [][]string{nil, {"--sidecar", t.TempDir()}} {
		if server := startServer(t, program, append(more, folder)...); server != nil {
			if err := server.makeBucket(t.Context()); err != nil {
				t.Fatalf("S3 server: make a bucket: %v", err)
			}
			return server
		}
	}
	t.Fatal("the S3 server does not start")
	return nil
}

// serverProgram is the path of the server's program, of the version that
// internal/tools/go.mod pins. Asking for it takes Go half a second.
var serverProgram = sync.OnceValues(func() (string, error) {
	module, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	tools := filepath.Join(filepath.Dir(strings.TrimSpace(string(module))), "internal", "tools", "go.mod")
	var stderr bytes.Buffer
	build := exec.Command("go", "tool", "-n", "-modfile="+tools, "versitygw")
	build.Stderr = &stderr
	path, err := build.Output()
	if err != nil {
		return "", fmt.Errorf("build the S3 server, versitygw of %s: %w\n%s", tools, err, stderr.String())
	}
	return strings.TrimSpace(string(path)), nil
})

// endsWithUs runs a program for as long as its standard input stays open: also a
// test binary that is killed leaves no server behind. Asked politely, the server
// would wait for its clients to hang up.
const endsWithUs = `"$@" </dev/null & read -r _; kill -9 $!; wait $!`

// startServer returns nil if the server ends by itself.
func startServer(t testing.TB, program string, arguments ...string) *S3Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	line := append([]string{"-c", endsWithUs, "sh", program, "--quiet", "--keep-alive", "--health", "/health", "--port", address, "posix"}, arguments...)
	command := exec.Command("sh", line...)
	command.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+S3AccessKey, "ROOT_SECRET_KEY="+S3SecretKey)
	command.Stdout, command.Stderr = &said, &said
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatalf("start the S3 server: %v", err)
	}
	ended := make(chan struct{})
	go func() { _ = command.Wait(); close(ended) }()
	stop := func() { _ = stdin.Close(); <-ended }
	server := &S3Server{Endpoint: "http://" + address, Bucket: "creditmill"}
	for deadline := time.After(serverStart); ; {
		if server.answers() {
			t.Cleanup(stop)
			return server
		}
		select {
		case <-time.After(serverPoll):
		case <-deadline:
			stop()
			t.Logf("the S3 server does not answer:\n%s", said.String())
			return nil
		}
	}
}

func (s *S3Server) answers() bool {
	response, err := http.Get(s.Endpoint + "/health")
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func (s *S3Server) makeBucket(ctx context.Context) error {
	_, err := s.Client().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &s.Bucket})
	return err
}

// Client is a plain client of the server, for what a store has no method for.
func (s *S3Server) Client() *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: &s.Endpoint, UsePathStyle: true, Region: S3Region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: S3AccessKey, SecretAccessKey: S3SecretKey}, nil
		}),
	})
}

// Environment is what a program needs in its environment to find the server at
// endpoint and nothing of this machine's AWS settings.
func Environment(endpoint string) map[string]string {
	return map[string]string{
		"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": S3AccessKey, "AWS_SECRET_ACCESS_KEY": S3SecretKey, "AWS_REGION": S3Region,
		"AWS_ENDPOINT_URL_S3": "", "AWS_DEFAULT_REGION": "", "AWS_CA_BUNDLE": "", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_EC2_METADATA_DISABLED": "true",
	}
}

// SetEnvironment sets Environment for the rest of the test.
func SetEnvironment(t *testing.T, endpoint string) {
	t.Helper()
	for name, value := range Environment(endpoint) {
		t.Setenv(name, value)
	}
}

// Address is a place in the server's bucket, as a configuration writes it.
func (s *S3Server) Address(prefix string) string { return fmt.Sprintf("s3://%s/%s", s.Bucket, prefix) }
