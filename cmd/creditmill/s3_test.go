package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/creditmill/creditmill/internal/lake/storetest"
)

// The scripts under testdata/s3 run against a real S3 server with the bucket
// creditmill. s3put FILE KEY puts an object there, s3list PREFIX prints the keys.
func TestS3Scripts(t *testing.T) {
	server := storetest.StartS3(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/s3",
		Setup: func(env *testscript.Env) error {
			for name, value := range storetest.Environment(server.Endpoint) {
				env.Setenv(name, value)
			}
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exitcode": exitCodeOf,
			"s3put": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) != 2 {
					ts.Fatalf("usage: s3put FILE KEY")
				}
				file, err := os.Open(ts.MkAbs(args[0]))
				ts.Check(err)
				defer file.Close()
				_, err = server.Client().PutObject(t.Context(), &s3.PutObjectInput{Bucket: &server.Bucket, Key: &args[1], Body: file})
				ts.Check(err)
			},
			"s3list": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) != 1 {
					ts.Fatalf("usage: s3list PREFIX")
				}
				listed, err := server.Client().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &server.Bucket, Prefix: &args[0]})
				ts.Check(err)
				out := ts.Stdout() // begins anew, also when nothing is listed
				for _, object := range listed.Contents {
					fmt.Fprintln(out, *object.Key)
				}
			},
		},
		RequireExplicitExec: true,
	})
}
