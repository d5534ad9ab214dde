package decode

// skip checks the value at b[i] and returns where it ends.
func (s *scanner) skip(i, depth int) int {
	switch s.b[i] {
	case '"':
		end, _ := s.str(i + 1)
		if end < 0 {
			return -1
		}
		return end + 1
	case '{':
		return s.skipObject(i, depth+1)
	case '[':
		return s.skipList(i, depth+1)
	case 't':
		return s.word(i, "true")
	case 'f':
		return s.word(i, "false")
	case 'n':
		return s.word(i, "null")
	default:
		return s.number(i)
	}
}

func (s *scanner) word(i int, word string) int {
	if b := s.b[i:]; len(b) < len(word) || string(b[:len(word)]) != word {
		return s.fail(i, "expected a value")
	}
	return i + len(word)
}

func (s *scanner) skipObject(i, depth int) int {
	if depth > maxDepth {
		return s.fail(i, "nested too deep")
	}
	i = s.blanks(i + 1)
	if s.b[i] == '}' {
		return i + 1
	}
	for {
		if s.b[i] != '"' {
			return s.fail(i, "expected a name in quotes")
		}
		end, _ := s.str(i + 1)
		if end < 0 {
			return -1
		}
		if i = s.blanks(end + 1); s.b[i] != ':' {
			return s.fail(i, "expected :")
		}
		if i = s.skip(s.blanks(i+1), depth); i < 0 {
			return -1
		}
		i = s.blanks(i)
		if s.b[i] == '}' {
			return i + 1
		}
		if s.b[i] != ',' {
			return s.fail(i, "expected , or }")
		}
		i = s.blanks(i + 1)
	}
}

func (s *scanner) skipList(i, depth int) int {
	if depth > maxDepth {
		return s.fail(i, "nested too deep")
	}
	i = s.blanks(i + 1)
	if s.b[i] == ']' {
		return i + 1
	}
	for {
		if i = s.skip(i, depth); i < 0 {
			return -1
		}
		i = s.blanks(i)
		if s.b[i] == ']' {
			return i + 1
		}
		if s.b[i] != ',' {
			return s.fail(i, "expected , or ]")
		}
		i = s.blanks(i + 1)
	}
}

// number checks a number: -?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?
func (s *scanner) number(i int) int {
	b := s.b
	start := i
	if b[i] == '-' {
		i++
	}
	switch {
	case b[i] == '0':
		i++
	case b[i]-'1' < 9:
		for i++; b[i]-'0' < 10; i++ {
		}
	case i == start:
		return s.fail(i, "expected a value")
	default:
		return s.fail(i, "expected a digit")
	}
	if b[i] == '.' {
		i++
		if b[i]-'0' >= 10 {
			return s.fail(i, "expected a digit")
		}
		for i++; b[i]-'0' < 10; i++ {
		}
	}
	if b[i] == 'e' || b[i] == 'E' {
		i++
		if b[i] == '+' || b[i] == '-' {
			i++
		}
		if b[i]-'0' >= 10 {
			return s.fail(i, "expected a digit")
		}
		for i++; b[i]-'0' < 10; i++ {
		}
	}
	return i
}
