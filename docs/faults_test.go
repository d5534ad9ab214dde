package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// faults.md names every fault that is counted, and no test that is not there.
func TestEveryFaultIsDocumented(t *testing.T) {
	var counted, tests []string
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`storetest\.Cases\(t, "([^"]+)"\)`).FindAllStringSubmatch(string(text), -1) {
			counted = append(counted, m[1])
		}
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			tests = append(tests, m[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	text := read(t, "faults.md")
	var documented []string
	for _, row := range rows(section(t, text, "## Faults that are counted")) {
		documented = append(documented, row[0])
	}
	slices.Sort(counted)
	slices.Sort(documented)
	if !slices.Equal(counted, documented) {
		t.Errorf("faults that are counted:\n%q\ndocumented:\n%q", counted, documented)
	}
	makefile := read(t, filepath.Join("..", "Makefile"))
	races := regexp.MustCompile(`(?m)^RACE_TESTS +:= (.+)$`).FindStringSubmatch(makefile)
	if races == nil {
		t.Fatal("the Makefile has no RACE_TESTS")
	}
	run := regexp.MustCompile(races[1])
	for _, name := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(text, -1) {
		if !slices.Contains(tests, name[1]) || !run.MatchString(name[1]) {
			t.Errorf("%s is no test that `make faults` runs", name[1])
		}
	}
}
