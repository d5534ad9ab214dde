package decode

import "unicode/utf8"

// unescape resolves the escapes of a checked JSON string into the arena; not ok
// where half of a surrogate pair stands alone.
func (s *scanner) unescape(text []byte) (plain []byte, ok bool) {
	start := len(s.arena)
	for i := 0; i < len(text); {
		if text[i] != '\\' {
			s.arena = append(s.arena, text[i])
			i++
			continue
		}
		c := text[i+1]
		i += 2
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := fourHex(text[i:])
			i += 4
			if r >= 0xDC00 && r < 0xE000 {
				return nil, false
			}
			if r >= 0xD800 && r < 0xDC00 {
				if len(text) < i+6 || text[i] != '\\' || text[i+1] != 'u' {
					return nil, false
				}
				low := fourHex(text[i+2:])
				if low < 0xDC00 || low >= 0xE000 {
					return nil, false
				}
				r = (r-0xD800)<<10 + (low - 0xDC00) + 0x10000
				i += 6
			}
			s.arena = utf8.AppendRune(s.arena, r)
			continue
		}
		s.arena = append(s.arena, c)
	}
	return s.arena[start:len(s.arena):len(s.arena)], true
}

func fourHex(text []byte) (r rune) {
	for _, c := range text[:4] {
		digit, _ := hexDigit(c)
		r = r<<4 | digit
	}
	return r
}
