// Command creditmill rates API calls, burns credits down and bills, from logs in
// object storage (SPEC section 12).
//
// A file a verb. The commands wire packages together and print; every rule is in
// the packages they call. Exit codes: 0 done, 1 failed, 2 usage or configuration,
// 3 held, 4 lost to another run.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"
)

// version is the release; the build stamps it with -ldflags '-X main.version=…'.
var version = "dev"

func main() {
	signal.Ignore(syscall.SIGXFSZ) // a file over the process's limit is an error to be told, as a full disk is
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	a := &app{
		name: os.Args[0], stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, clock: time.Now,
		terminal: term.IsTerminal(int(os.Stderr.Fd())),
	}
	code := a.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}
