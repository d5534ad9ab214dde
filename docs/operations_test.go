package docs_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestEveryMemberOfStatusIsDocumented(t *testing.T) {
	text := section(t, read(t, "operations.md"), "### status --json")
	members := regexp.MustCompile(`json:"([a-z_0-9]+)`).FindAllStringSubmatch(read(t, "../cmd/creditmill/status.go"), -1)
	if len(members) < 40 {
		t.Fatalf("only %d members were found in the code", len(members))
	}
	for _, member := range members {
		if !strings.Contains(text, "`"+member[1]+"`") {
			t.Errorf("operations.md does not name the member %s of status --json", member[1])
		}
	}
}

func TestEveryMemberOfRunsIsDocumented(t *testing.T) {
	text := section(t, read(t, "operations.md"), "### The log of runs")
	for _, member := range regexp.MustCompile(`json:"([a-z_0-9]+)`).FindAllStringSubmatch(read(t, "../cmd/creditmill/runs.go"), -1) {
		if !strings.Contains(text, "`"+member[1]+"`") {
			t.Errorf("operations.md does not name the member %s of runs --json", member[1])
		}
	}
}

// Whatever refuses a close is in the table of what blocks it, by the words that begin it.
func TestEveryBlockOfACloseIsDocumented(t *testing.T) {
	table := section(t, read(t, "operations.md"), "### What blocks a close")
	literal := regexp.MustCompile(`Reason:\s+(?:fmt\.Sprintf\()?"([a-z ]+)`)
	found := 0
	for _, file := range []string{"../jobs/close_blocks.go", "../jobs/close_missing.go", "../jobs/held.go"} {
		for _, reason := range literal.FindAllStringSubmatch(read(t, file), -1) {
			found++
			if !strings.Contains(table, "| `"+strings.TrimSpace(reason[1])) {
				t.Errorf("operations.md does not say what to do about %q, which %s gives", reason[1], file)
			}
		}
	}
	if found < 6 {
		t.Errorf("only %d reasons were found in the code", found)
	}
}

func TestEveryExitCodeIsDocumented(t *testing.T) {
	var codes []string
	for _, row := range rows(section(t, read(t, "operations.md"), "## Exit codes")) {
		codes = append(codes, row[0])
	}
	if want := []string{"0", "1", "2", "3", "4"}; !slices.Equal(codes, want) {
		t.Errorf("exit codes %v are documented, want %v", codes, want)
	}
}

// Files, pages and headings that the page links to must be there.
func TestLinksOfOperationsLead(t *testing.T) {
	text := read(t, "operations.md")
	heading := regexp.MustCompile(`(?m)^#+ (.+)$`)
	for _, link := range regexp.MustCompile(`\]\(([^)#:]*)(?:#([^)]*))?\)`).FindAllStringSubmatch(text, -1) {
		target := text
		if link[1] != "" {
			info, err := os.Stat(link[1])
			if err != nil {
				t.Errorf("operations.md links to %s: %v", link[1], err)
				continue
			}
			if info.IsDir() {
				continue
			}
			target = read(t, link[1])
		}
		leads := slices.ContainsFunc(heading.FindAllStringSubmatch(target, -1), func(h []string) bool {
			name := strings.ToLower(regexp.MustCompile("[^A-Za-z0-9 -]").ReplaceAllString(h[1], ""))
			return strings.ReplaceAll(name, " ", "-") == link[2]
		})
		if link[2] != "" && !leads {
			t.Errorf("operations.md links to %s#%s, which no heading is", link[1], link[2])
		}
	}
}

// An alert of a metric that there is not never fires.
func TestAlertsAreOfMetricsThatThereAre(t *testing.T) {
	text := read(t, "operations.md")
	metrics := section(t, text, "## Metrics")
	names := regexp.MustCompile(`creditmill_[a-z_]+`).FindAllString(section(t, text, "## Alerts"), -1)
	if len(names) < 7 {
		t.Errorf("only %d metrics were found in the alerts", len(names))
	}
	for _, name := range names {
		if !strings.Contains(metrics, "| `"+name) {
			t.Errorf("an alert is of %s, which is no metric of the table", name)
		}
	}
}
