package duck

import (
	"fmt"
	"strings"
	"unicode"
)

// VisibleLiteral is [Literal] for a statement that people read and copy: what has no
// appearance, or would turn the direction of what stands beside it, is spelled out.
func VisibleLiteral(text string) string {
	quoted, spelled := "'", false
	for _, r := range text {
		switch {
		case r == '\'':
			quoted += "''"
		case r == ' ' || unicode.IsPrint(r):
			quoted += string(r)
		default:
			quoted += fmt.Sprintf("' || chr(%d) || '", r)
			spelled = true
		}
	}
	if quoted += "'"; spelled {
		return "(" + strings.ReplaceAll(quoted, " || '' || ", " || ") + ")"
	}
	return quoted
}
