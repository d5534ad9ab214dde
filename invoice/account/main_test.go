package account_test

import (
	"flag"
	"os"
	"strconv"
	"testing"
)

// drawnLives is how many histories a test draws.
const drawnLives = 1000

// TestMain draws thousands of histories, not rapid's hundred, unless told a
// number (-rapid.checks).
func TestMain(m *testing.M) {
	flag.Parse()
	told := false
	flag.Visit(func(f *flag.Flag) { told = told || f.Name == "rapid.checks" })
	if !told {
		if err := flag.Set("rapid.checks", strconv.Itoa(drawnLives)); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
