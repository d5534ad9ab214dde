package docs_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/sql"
)

// inUTC is what statements ask of a lake, as the documents print them: in UTC a local time
// is the instant itself.
type inUTC struct{}

func (inUTC) Local(column string) string { return column }

func (inUTC) LocalAtAnyTime(column string) string { return column }

// Has is true: the documents print what there may be.
func (inUTC) Has(string) bool { return true }

// report.md has every statement of a page, word for word, and no other.
func TestEveryStatementOfAPageIsDocumented(t *testing.T) {
	document := read(t, "report.md")
	checkStatements(t, section(t, document, "## The month's page, section by section"), "month_")
	checkStatements(t, section(t, document, "## The account's page"), "account_")
}

func checkStatements(t *testing.T, text, prefix string) {
	t.Helper()
	var documented []string
	for _, m := range regexp.MustCompile("(?m)^`("+prefix+"[a-z_]+)`: (.*)\n\n```sql\n((?s:.*?))\n```$").FindAllStringSubmatch(text, -1) {
		documented = append(documented, m[1])
		if !slices.Contains(sql.Names("report"), m[1]) {
			t.Errorf("report.md has a statement %s, sql/report has not", m[1])
			continue
		}
		comment, statement := "", sql.Expand("report/"+m[1], inUTC{})
		for strings.HasPrefix(statement, "-- ") {
			line, rest, _ := strings.Cut(statement, "\n")
			comment, statement = comment+" "+strings.TrimPrefix(line, "-- "), rest
		}
		if want := strings.TrimPrefix(comment, " "); m[2] != want {
			t.Errorf("report.md says of %s\n  %s\nsql/report says\n  %s", m[1], m[2], want)
		}
		if want := strings.TrimSpace(statement); m[3] != want {
			t.Errorf("report.md has as %s\n%s\nsql/report has\n%s", m[1], m[3], want)
		}
	}
	for _, name := range sql.Names("report") {
		if strings.HasPrefix(name, prefix) && !slices.Contains(documented, name) {
			t.Errorf("report.md lacks the statement %s", name)
		}
	}
}
