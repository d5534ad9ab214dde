package price

import (
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/when"
)

// searchLimit is how many combinations of places in patterns [someText] looks at:
// far more than patterns that people write need.
const searchLimit = 5_000

// someText reports whether there is a text that matches every pattern of all and
// none of none. sure is false where the patterns are too involved to tell.
func someText(all, none []string) (is, sure bool) {
	if slices.Contains(none, "*") || slices.ContainsFunc(all, func(pattern string) bool { return slices.Contains(none, pattern) }) {
		return false, true
	}
	for _, one := range all { // texts near at hand: most patterns are that far apart, and long tables have many pairs of them
		for _, run := range []string{"\uE000", ""} {
			text := strings.ReplaceAll(one, "*", run)
			like := func(pattern string) bool { return when.Like(pattern, text) }
			if !slices.ContainsFunc(none, like) && !slices.ContainsFunc(all, func(pattern string) bool { return !like(pattern) }) {
				return true, true
			}
		}
	}
	letters := lettersOf(append(slices.Clone(all), none...))
	start := make([]places, 0, len(all)+len(none))
	for _, pattern := range append(slices.Clone(all), none...) {
		start = append(start, begin([]rune(pattern)))
	}
	seen := map[string]bool{combination(start): true}
	for todo := [][]places{start}; len(todo) > 0; {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if matchesAll(at[:len(all)]) && !slices.ContainsFunc(at[len(all):], places.matches) {
			return true, true
		}
		for _, letter := range letters {
			next := make([]places, len(at))
			for i := range at {
				next[i] = at[i].step(letter)
			}
			if slices.ContainsFunc(next[:len(all)], places.dead) || slices.ContainsFunc(next[len(all):], places.sated) {
				continue
			}
			if k := combination(next); !seen[k] {
				if len(seen) == searchLimit {
					return false, false
				}
				seen[k] = true
				todo = append(todo, next)
			}
		}
	}
	return false, true
}

// otherLetter stands for every letter that no pattern names.
const otherLetter rune = -1

// lettersOf lists the letters that patterns name, and one more.
func lettersOf(patterns []string) []rune {
	letters := []rune{otherLetter}
	for _, r := range strings.Join(patterns, "") {
		if r != '*' && !slices.Contains(letters, r) {
			letters = append(letters, r)
		}
	}
	return letters
}

// places is where in a pattern a text may have come to: all places, ascending.
type places struct {
	pattern []rune
	at      []int
}

func begin(pattern []rune) places { return places{pattern, nil}.with(0) }

// with adds a place and those that a * without a letter leads to.
func (p places) with(at int) places {
	for ; ; at++ {
		if len(p.at) == 0 || p.at[len(p.at)-1] < at {
			p.at = append(p.at, at)
		}
		if at == len(p.pattern) || p.pattern[at] != '*' {
			break
		}
		// From a * everything can follow that could from the places before it.
		p.at = append(p.at[:0], at)
	}
	return p
}

func (p places) step(letter rune) places {
	next := places{p.pattern, nil}
	for _, at := range p.at {
		switch {
		case at == len(p.pattern):
		case p.pattern[at] == '*':
			next = next.with(at)
		case p.pattern[at] == letter:
			next = next.with(at + 1)
		}
	}
	return next
}

// dead: no text from here matches. sated: every text from here does.
func (p places) dead() bool { return len(p.at) == 0 }

func (p places) sated() bool {
	return slices.ContainsFunc(p.at, func(at int) bool { return at == len(p.pattern)-1 && p.pattern[at] == '*' })
}

// matches reports whether the text so far matches.
func (p places) matches() bool { return slices.Contains(p.at, len(p.pattern)) }

func matchesAll(all []places) bool {
	return !slices.ContainsFunc(all, func(p places) bool { return !p.matches() })
}

// combination tells combinations of places apart.
func combination(all []places) string {
	var b strings.Builder
	for _, p := range all {
		for _, at := range p.at {
			b.WriteRune(rune(at + 1))
		}
		b.WriteRune(0)
	}
	return b.String()
}
