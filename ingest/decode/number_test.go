package decode

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/creditmill/creditmill/ingest/source"
)

func TestIntegerQuantities(t *testing.T) {
	for text, want := range map[string]struct {
		value int64
		fault numberFault
	}{
		"0": {0, numberOK}, "7": {7, numberOK}, "3.0": {3, numberOK}, "1e3": {1000, numberOK}, "1.5e1": {15, numberOK}, "-0": {0, numberOK},
		"0.0e9": {0, numberOK}, "007": {7, numberOK}, "1200e-2": {12, numberOK}, "9223372036854775807": {9223372036854775807, numberOK},
		"9223372036854775807.000": {9223372036854775807, numberOK}, "9223372036854775808": {0, numberOverflow}, "1e19": {0, numberOverflow},
		"1e400": {0, numberOverflow}, "1e99999999999": {0, numberOverflow}, "1e-99999999999": {0, numberBad}, "1.5": {0, numberBad}, "-1.5": {0, numberBad},
		"-1": {0, numberNegative}, "-1e400": {0, numberNegative}, "": {0, numberBad}, "ten": {0, numberBad}, "1,000": {0, numberBad}, "\x201": {0, numberBad},
		"+1": {0, numberBad}, ".5": {0, numberBad}, "5.": {0, numberBad}, "1e": {0, numberBad}, "true": {0, numberBad}, "0x10": {0, numberBad}, "NaN": {0, numberBad},
	} {
		value, fault := parseInteger([]byte(text))
		if value != want.value || fault != want.fault {
			t.Errorf("%q: %d, fault %d; want %d, fault %d", text, value, fault, want.value, want.fault)
		}
	}
}

func TestDecimalQuantities(t *testing.T) {
	for text, want := range map[string]struct {
		micro int64
		fault numberFault
	}{
		"0.25": {250_000, numberOK}, "1": {1_000_000, numberOK}, "0.0000005": {1, numberOK}, "0.00000049999": {0, numberOK}, "1.0000015": {1_000_002, numberOK},
		"2.5e-7": {0, numberOK}, "5e-7": {1, numberOK}, "999999999999.999999": {maxDecimal, numberOK}, "999999999999.9999995": {0, numberOverflow},
		"999999999999.9999994": {maxDecimal, numberOK}, "1000000000000": {0, numberOverflow}, "-0.000001": {0, numberNegative}, "-0.0": {0, numberOK},
		"1/2": {0, numberBad},
	} {
		micro, fault := parseDecimal([]byte(text))
		if micro != want.micro || fault != want.fault {
			t.Errorf("%q: %d, fault %d; want %d, fault %d", text, micro, fault, want.micro, want.fault)
		}
	}
}

var grammar = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$`)

// FuzzNumbers holds both parsers to exact rationals.
func FuzzNumbers(f *testing.F) {
	for _, seed := range []string{"1", "-1", "1.5", "1e3", "0.0000005", "123456789012345678901234567890123456789012345e-30", "9.99999999999999999e17", "000.10e+2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 100 || !grammar.MatchString(text) {
			return
		}
		exact, _ := new(big.Rat).SetString(text)
		check := func(name string, value int64, fault numberFault, scale int64, limit int64, whole bool) {
			scaled := new(big.Rat).Mul(exact, big.NewRat(scale, 1))
			twice := new(big.Int).Add(new(big.Int).Mul(scaled.Num(), big.NewInt(2)), scaled.Denom())
			rounded := twice.Div(twice, new(big.Int).Mul(scaled.Denom(), big.NewInt(2)))
			want := numberOK
			switch {
			case whole && !scaled.IsInt() && rounded.Cmp(big.NewInt(limit)) <= 0 && exact.Sign() >= 0:
				want = numberBad
			case exact.Sign() < 0:
				want = numberNegative
			case rounded.Cmp(big.NewInt(limit)) > 0:
				want = numberOverflow
			}
			if want == numberNegative && fault == numberBad && !scaled.IsInt() {
				return // both are true
			}
			if want == numberBad && fault == numberOverflow && scaled.Cmp(new(big.Rat).SetInt64(limit)) > 0 {
				return
			}
			if fault != want || fault == numberOK && rounded.Cmp(big.NewInt(value)) != 0 {
				t.Fatalf("%s %q: %d, fault %d; want %s, fault %d", name, text, value, fault, rounded, want)
			}
		}
		value, fault := parseInteger([]byte(text))
		check("integer", value, fault, 1, maxInt64, true)
		if back, again := parseInteger(strconv.AppendInt(nil, value, 10)); fault == numberOK && (again != numberOK || back != value) {
			t.Fatalf("%d is read as %d, fault %d", value, back, again)
		}
		value, fault = parseDecimal([]byte(text))
		check("decimal", value, fault, 1_000_000, maxDecimal, false)
		printed := fmt.Sprintf("%d.%06d", value/1_000_000, value%1_000_000)
		if back, again := parseDecimal([]byte(printed)); fault == numberOK && (again != numberOK || back != value) {
			t.Fatalf("%s is read as %d, fault %d", printed, back, again)
		}
	})
}

func TestInstants(t *testing.T) {
	for text, want := range map[string]string{
		"2026-10-03T14:00:00Z": "2026-10-03T14:00:00Z", "2026-10-03T14:00:00.123456789Z": "2026-10-03T14:00:00.123456Z",
		"2026-10-03T14:00:00.9999999+02:00": "2026-10-03T12:00:00.999999Z", "2024-02-29T23:59:59-23:59": "2024-03-01T23:58:59Z",
		"1969-12-31T23:59:59.9999999Z": "1969-12-31T23:59:59.999999Z", "2000-02-29T00:00:00Z": "2000-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z": "", "2026-13-01T00:00:00Z": "", "2026-04-31T00:00:00Z": "", "2026-10-03T24:00:00Z": "", "2026-10-03T23:59:60Z": "",
		"2026-10-03 14:00:00Z": "", "2026-10-03T14:00:00": "", "2026-10-03T14:00:00.Z": "", "2026-10-03T14:00:00z": "", "2026-10-03T14:00:00+0200": "", "": "",
		"2026-10-03T14:00:00+24:00": "", "2026-10-03T14:00:00Z ": "", "0000-01-01T00:00:00+01:00": "", "9999-12-31T23:59:59-01:00": "",
	} {
		micros, ok := parseRFC3339([]byte(text))
		if got := time.UnixMicro(micros).UTC().Format(time.RFC3339Nano); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %s (%v), want %q", text, got, ok, want)
		}
	}
}

var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// FuzzRFC3339 holds the parser to the grammar, and then to time.Time, which by
// itself takes a few more.
func FuzzRFC3339(f *testing.F) {
	for _, seed := range []string{"2026-10-03T14:00:00Z", "0000-03-01T00:00:00.5+01:30", "9999-12-31T23:59:59.999999999Z", "1600-02-29T12:00:00-08:00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var want time.Time
		err := want.UnmarshalText([]byte(text))
		inside := want.UTC().Year() >= 0 && want.UTC().Year() <= 9999
		micros, ok := parseRFC3339([]byte(text))
		if ok != (err == nil && inside && rfc3339.MatchString(text)) {
			t.Fatalf("%q: taken %v, want %v (%v)", text, ok, err == nil, err)
		}
		if cut, _ := micro(want); ok && micros != cut {
			t.Fatalf("%q: %d, want %d", text, micros, cut)
		}
	})
}

func TestLayouts(t *testing.T) {
	for _, c := range []struct{ layout, zone, text, want string }{
		{"unix_s", "", "1696341600", "2023-10-03T14:00:00Z"},
		{"unix_s", "", "1696341600.1234567", "2023-10-03T14:00:00.123456Z"},
		{"unix_s", "", "1.6963416e9", "2023-10-03T14:00:00Z"},
		{"unix_s", "", "-0.5", "1969-12-31T23:59:59.5Z"},
		{"unix_s", "", "-0.0000001", "1969-12-31T23:59:59.999999Z"},
		{"unix_ms", "", "1696341600123", "2023-10-03T14:00:00.123Z"},
		{"unix_us", "", "1696341600123456", "2023-10-03T14:00:00.123456Z"},
		{"unix_us", "", "1696341600123456.9", "2023-10-03T14:00:00.123456Z"},
		{"unix_s", "", "1e30", ""},
		{"unix_s", "", "soon", ""},
		{"2006-01-02 15:04:05", "UTC", "2023-11-16 18:17:03.9799600", "2023-11-16T18:17:03.97996Z"},
		{"2006-01-02 15:04:05", "Europe/Madrid", "2026-07-01 02:00:00", "2026-07-01T00:00:00Z"},
		{"2006-01-02 15:04:05", "Europe/Madrid", "2026-03-29 02:30:00", "2026-03-29T01:30:00Z"}, // skipped: forward by the gap, to 03:30 local
		{"2006-01-02 15:04:05", "Europe/Madrid", "2026-10-25 02:30:00", "2026-10-25T00:30:00Z"}, // twice: the earlier
		{"02/Jan/2006:15:04:05 -0700", "", "03/Oct/2026:16:00:00 +0200", "2026-10-03T14:00:00Z"},
		{"2006-01-02 15:04:05", "", "2026-02-30 00:00:00", ""},
	} {
		layout, err := source.NewLayout(c.layout, c.zone)
		if err != nil {
			t.Fatal(err)
		}
		micros, ok := parseInstant([]byte(c.text), &layout)
		if got := time.UnixMicro(micros).UTC().Format(time.RFC3339Nano); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%s %s %q: %s (%v), want %q", c.layout, c.zone, c.text, got, ok, c.want)
		}
	}
}
