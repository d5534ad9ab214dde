package price

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/when"
)

func TestSomeText(t *testing.T) {
	tests := []struct {
		all, none string // patterns, with blanks between
		want      bool
	}{
		{"a", "", true},
		{"a", "a", false},
		{"a", "b", true},
		{"image.*", "*", false},
		{"image.*", "image.*", false},
		{"image.*", "image.**", false},
		{"image.**", "image.*", false},
		{"image.*", "image.*.*", true}, // image.x
		{"image.*.*", "image.*", false},
		{"image.*", "im*", false},
		{"im*", "image.*", true}, // im
		{"image.generate", "image.*", false},
		{"image.generate", "*.gen*", false},
		{"image.generate", "*.gent*", true},
		{"*ab*", "*a*b*", false},
		{"*a*b*", "*ab*", true}, // a-b
		{"*aab", "*ab", false},
		{"*ab", "*aab", true},   // ab
		{"a* *b", "a*b", false}, // a text with a and b at its ends has both
		{"a* *a", "a*a", true},  // the text a
		{"*.x image.*", "image.*x", false},
		{"*.x image.*", "image.*.x", true}, // image.x
		{"a b", "", false},                 // no text is both
		{"a*", "ab* ac*", true},            // a
		{"a", "b c a", false},
		{"\u00e9*", "\u00e9*\u00e9", true},
		{"*\u00e9*", "*\u00ea* *\u00e9", true},
	}
	for _, tc := range tests {
		if is, sure := someText(strings.Fields(tc.all), strings.Fields(tc.none)); is != tc.want || !sure {
			t.Errorf("%s without %s: %v, sure %v; want %v", tc.all, tc.none, is, sure, tc.want)
		}
	}
}

// TestSomeTextAgreesWithTrying compares with all texts of up to seven letters,
// which are enough to tell patterns of so few places apart.
func TestSomeTextAgreesWithTrying(t *testing.T) {
	var texts []string
	level := []string{""}
	for range 8 {
		texts = append(texts, level...)
		var longer []string
		for _, text := range level {
			longer = append(longer, text+"a", text+"b", text+"c")
		}
		level = longer
	}
	r := random{rand.New(rand.NewPCG(1, 4))}
	pattern := func() string {
		var b strings.Builder
		for range 1 + r.IntN(4) {
			b.WriteString(pick(r, []string{"a", "b", "*", "a", "*"}))
		}
		return b.String()
	}
	seen := map[bool]int{}
	for range 1500 {
		all, none := []string{pattern()}, []string{pattern()}
		if r.one(2) {
			all = append(all, pattern())
		}
		if r.one(3) {
			none = append(none, pattern())
		}
		want := false
		for _, text := range texts {
			ok := true
			for _, p := range all {
				ok = ok && when.Like(p, text)
			}
			for _, p := range none {
				ok = ok && !when.Like(p, text)
			}
			if ok {
				want = true
				break
			}
		}
		seen[want]++
		if is, sure := someText(all, none); is != want || !sure {
			t.Fatalf("%q without %q: %v, sure %v; want %v", all, none, is, sure, want)
		}
	}
	if seen[true] < 200 || seen[false] < 200 {
		t.Errorf("the test is one-sided: %v", seen)
	}
}

// Patterns whose places combine without end are not searched for long, and nothing
// is claimed of them.
func TestSomeTextGivesUp(t *testing.T) {
	all := []string{"*."}
	for letter := 'a'; letter <= 'p'; letter++ { // any of these may have come or not
		all = append(all, "*"+string(letter)+"*")
	}
	if _, sure := someText(all, []string{"**."}); sure {
		t.Error("this was searched to the end")
	}
}
