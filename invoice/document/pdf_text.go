package document

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// A weight is how strong letters are.
type weight bool

const (
	plainWeight  weight = false
	strongWeight weight = true
)

// A run is a piece of text in one font.
type run struct {
	font  *font
	text  string
	width float64 // in points
}

// A setter sets text in the program's fonts and remembers what they lacked.
type setter struct {
	missing map[rune]bool
	far     map[rune]bool // characters taken from the font of CJK
}

func newSetter() *setter { return &setter{missing: map[rune]bool{}, far: map[rune]bool{}} }

// printed is a text as PDF prints it: composed, for a font has an accented letter as
// one, without what has no appearance, and with [notShown] for what no font has.
func (s *setter) printed(text string) string {
	if isPlain(text) {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case isMark(r):
			return -1
		case regular().has(r) || cjk().has(r):
			return r
		}
		s.missing[r] = true
		return notShown
	}, norm.NFC.String(text))
}

// isPlain reports whether all of the text is in every Latin font.
func isPlain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] >= 0x7f {
			return false
		}
	}
	return true
}

// runs are a printed text by font: the Latin one of the weight, and that of CJK,
// which has one weight, for what it lacks.
func (s *setter) runs(text string, w weight, size float64) (runs []run) {
	latin := regular()
	if w == strongWeight {
		latin = semibold()
	}
	var (
		font  *font
		start int
		units int // width so far
		last  rune
	)
	end := func(at int) {
		if font != nil && at > start {
			runs = append(runs, run{font, text[start:at], float64(units) * size / 1000})
		}
	}
	for i, r := range text {
		f := latin
		if !latin.has(r) {
			f = cjk()
			s.far[r] = true
		}
		if f != font {
			end(i)
			font, start, units = f, i, 0
		} else {
			units += f.kern(last, r)
		}
		units += int(f.widths[r])
		last = r
	}
	end(len(text))
	return runs
}

func (s *setter) width(text string, w weight, size float64) (width float64) {
	for _, r := range s.runs(text, w, size) {
		width += r.width
	}
	return width
}

// wrap breaks a printed text into lines of at most a width: at blanks and hyphens,
// between ideographs, and anywhere in what is too long without any of them.
func (s *setter) wrap(text string, w weight, size, width float64) (lines []string) {
	line := ""
	isWide := func(text string) bool { return s.width(strings.TrimRight(text, " "), w, size) > width }
	flush := func(text string) {
		if text = strings.TrimRight(text, " "); text != "" {
			lines = append(lines, text)
		}
	}
	for _, piece := range pieces(text) {
		if line != "" && isWide(line+piece) {
			flush(line)
			line = ""
		}
		for line == "" && isWide(piece) { // longer than a line: as much of it as fits
			fits := s.fitting(piece, w, size, width)
			flush(piece[:fits])
			piece = piece[fits:]
		}
		line += piece
	}
	flush(line)
	return lines
}

// fitting is how many bytes of a word fit a width, at least a character. In the last
// half of them it ends after a mark, such as the comma of a long number.
func (s *setter) fitting(word string, w weight, size, width float64) int {
	at := 0
	for i, r := range word {
		next := i + len(string(r))
		if at > 0 && s.width(word[:next], w, size) > width {
			break
		}
		at = next
	}
	if mark := strings.LastIndexAny(word[:at], ",./_-@") + 1; mark > at/2 {
		return mark
	}
	return at
}

// pieces are the parts of a text that a line may end after.
func pieces(text string) (pieces []string) {
	runes := []rune(text)
	start := 0
	for i := 1; i < len(runes); i++ {
		if mayBreak(runes[i-1], runes[i]) {
			pieces = append(pieces, string(runes[start:i]))
			start = i
		}
	}
	if start < len(runes) {
		pieces = append(pieces, string(runes[start:]))
	}
	return pieces
}

// Punctuation that opens stays with what follows it, other punctuation with what it follows.
const (
	opens  = "([{<「『（【〈《〔‘“«‹"
	closes = ")]}>」』）】〉》〕’”»›、。，．・：；？！ー々,.;:?!%"
)

func mayBreak(before, after rune) bool {
	switch {
	case after == ' ' || strings.ContainsRune(closes, after) || strings.ContainsRune(opens, before):
		return false
	case before == ' ', before == '\u3000':
		return true
	case before == '-':
		return unicode.IsLetter(after)
	}
	return isIdeograph(before) || isIdeograph(after)
}

// isIdeograph reports whether lines may break before and after r: Chinese and Japanese
// are written without blanks.
func isIdeograph(r rune) bool {
	return r >= 0x2e80 && (unicode.Is(unicode.Han, r) || unicode.Is(unicode.Hiragana, r) || unicode.Is(unicode.Katakana, r) ||
		r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xffef)
}

// lacked are the characters that no font has, sorted.
func (s *setter) lacked() []rune { return sorted(s.missing) }

func sorted(set map[rune]bool) (runes []rune) {
	for r := range set {
		runes = append(runes, r)
	}
	slices.Sort(runes)
	return runes
}
