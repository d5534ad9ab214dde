package decode

import (
	"time"

	"github.com/creditmill/creditmill/ingest/source"
)

// Instants are microseconds since 1970 in UTC, of the years 0 to 9999.
const (
	minMicros = -62167219200_000_000
	maxMicros = 253402300799_999_999
)

// parseInstant reads a time of that layout and cuts it to the microsecond.
func parseInstant(text []byte, layout *source.Layout) (micros int64, ok bool) {
	switch layout.Clock {
	case source.RFC3339:
		return parseRFC3339(text)
	case source.UnixSeconds:
		return parseUnix(text, 0)
	case source.UnixMillis:
		return parseUnix(text, 3)
	case source.UnixMicros:
		return parseUnix(text, 6)
	}
	t, err := layout.Parse(string(text))
	if err != nil {
		return 0, false
	}
	return micro(t)
}

// micro cuts t to the microsecond.
func micro(t time.Time) (int64, bool) {
	if year := t.UTC().Year(); year < 0 || year > 9999 {
		return 0, false
	}
	return t.Unix()*1_000_000 + int64(t.Nanosecond()/1000), true
}

// parseRFC3339 reads 2026-10-03T14:00:00.123Z. It wants the T and Z in capitals, as
// nearly everyone writes them, and has no leap second: a 23:59:60 is no instant.
func parseRFC3339(b []byte) (micros int64, ok bool) {
	if len(b) < 20 || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return 0, false
	}
	bad := byte(0)
	two := func(i int) int {
		hi, lo := b[i]-'0', b[i+1]-'0'
		if hi > 9 || lo > 9 {
			bad = 1
		}
		return int(hi)*10 + int(lo)
	}
	year := two(0)*100 + two(2)
	month, day := two(5), two(8)
	hour, minute, second := two(11), two(14), two(17)
	if bad != 0 || month-1 > 11 || month < 1 || day < 1 || hour > 23 || minute > 59 || second > 59 || day > daysIn(year, month) {
		return 0, false
	}
	i, fraction := 19, 0
	if b[i] == '.' {
		i++
		start, unit := i, 100_000
		for ; i < len(b) && b[i]-'0' < 10; i++ {
			fraction += int(b[i]-'0') * unit
			unit /= 10
		}
		if i == start || i == len(b) {
			return 0, false
		}
	}
	offset := 0
	switch {
	case b[i] == 'Z' && len(b) == i+1:
	case (b[i] == '+' || b[i] == '-') && len(b) == i+6 && b[i+3] == ':':
		hours, minutes := two(i+1), two(i+4)
		if bad != 0 || hours > 23 || minutes > 59 {
			return 0, false
		}
		offset = hours*3600 + minutes*60
		if b[i] == '-' {
			offset = -offset
		}
	default:
		return 0, false
	}
	seconds := daysSince1970(year, month, day)*86400 + hour*3600 + minute*60 + second - offset
	micros = int64(seconds)*1_000_000 + int64(fraction)
	return micros, micros >= minMicros && micros <= maxMicros
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	default:
		return 31
	}
}

// daysSince1970 counts days of the Gregorian calendar, in years that begin in
// March so that a leap day is the last.
func daysSince1970(year, month, day int) int {
	if month <= 2 {
		year--
		month += 12
	}
	return 365*year + floorDiv(year, 4) - floorDiv(year, 100) + floorDiv(year, 400) + (153*(month-3)+2)/5 + day - 1 - 719468
}

func floorDiv(a, b int) int {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}
