package duck_test

import (
	"context"
	"testing"
	"unicode"

	"github.com/creditmill/creditmill/internal/duck"
)

func TestVisibleLiteralIsTheTextAndAllOfItIsSeen(t *testing.T) {
	s, err := duck.Open(context.Background(), duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for text, want := range map[string]string{
		"":                  "''",
		"acme":              "'acme'",
		"o'neil 長":          "'o''neil 長'",
		"a\u202eb":          "('a' || chr(8238) || 'b')",
		"\u202e\u2066":      "('' || chr(8238) || chr(8294) || '')",
		"a\nb' OR 1=1 --":   "('a' || chr(10) || 'b'' OR 1=1 --')",
		"no\u00a0break\x1b": "('no' || chr(160) || 'break' || chr(27) || '')",
	} {
		literal := duck.VisibleLiteral(text)
		if literal != want {
			t.Errorf("%q is %s, want %s", text, literal, want)
		}
		for _, r := range literal {
			if !unicode.IsPrint(r) {
				t.Errorf("%q is %s: %U is not seen", text, literal, r)
			}
		}
		var got string
		if err := s.Row(context.Background(), "SELECT "+literal).Scan(&got); err != nil || got != text {
			t.Errorf("%s is %q, %v, want %q", literal, got, err, text)
		}
	}
}
