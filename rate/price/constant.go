package price

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// mark encloses the constants of a statement while it is written. SQL text has no
// NUL: duck.Literal writes one as chr(0).
const mark = "\x00"

// wholeNumber is the scale of a constant that is an integer and no decimal.
const wholeNumber = -1

// marked writes a constant that may differ between rules alike in all else: a
// DECIMAL(38, scale) or a [wholeNumber]. [inline], or [shape] and [fill],
// take the marks away.
func marked(text string, scale int) string {
	return mark + strconv.Itoa(scale) + ":" + text + mark
}

var markedConstant = regexp.MustCompile(mark + `(-?[0-9]+):([^` + mark + `]*)` + mark)

// inline writes marked constants as SQL constants.
func inline(statement string) string {
	return markedConstant.ReplaceAllStringFunc(statement, func(one string) string {
		found := markedConstant.FindStringSubmatch(one)
		if found[1] == strconv.Itoa(wholeNumber) {
			return found[2]
		}
		return fmt.Sprintf("CAST('%s' AS DECIMAL(38,%s))", found[2], found[1])
	})
}

// shape is an expression without the values of its constants, as far as they fit
// a BIGINT, and these values. Expressions of one shape differ by them alone.
func shape(expression string) (text string, values []string) {
	text = markedConstant.ReplaceAllStringFunc(expression, func(one string) string {
		found := markedConstant.FindStringSubmatch(one)
		units := strings.TrimLeft(strings.Replace(found[2], ".", "", 1), "0")
		if len(units) > 18 {
			return inline(one)
		}
		values = append(values, or(units, "0"))
		return mark + found[1] + mark
	})
	return text, values
}

var emptyConstant = regexp.MustCompile(mark + `(-?[0-9]+)` + mark)

// fill writes an expression of a shape. columns has for each of its constants the
// value in each of the expressions that it stands for; which one a row takes, the
// SQL expression at says, from 1.
func fill(shape string, columns [][]string, at string) string {
	return emptyConstant.ReplaceAllStringFunc(shape, func(one string) string {
		values := columns[0]
		columns = columns[1:]
		scale, _ := strconv.Atoi(strings.Trim(one, mark))
		if len(slices.Compact(slices.Clone(values))) == 1 {
			return inline(marked(pointed(values[0], scale), scale))
		}
		value := list(values) + "[" + at + "]"
		switch scale {
		case wholeNumber:
			return value
		case 0:
			return "CAST(" + value + " AS DECIMAL(38,0))"
		default: // integers and one product: thousands of CASTs would take longer to plan than to run
			return fmt.Sprintf("(CAST(%s AS DECIMAL(38,0)) * CAST('%s' AS DECIMAL(38,%d)))", value, decimal(big.NewInt(1), scale).fixed(scale), scale)
		}
	})
}

// pointed puts the point back into units of 10^-scale.
func pointed(units string, scale int) string {
	if scale <= 0 {
		return units
	}
	digits, negative := strings.CutPrefix(units, "-")
	n, _ := new(big.Int).SetString(digits, 10)
	if negative {
		return "-" + decimal(n, scale).fixed(scale)
	}
	return decimal(n, scale).fixed(scale)
}

// list writes constants as an array. Trino takes 254 in one.
func list(values []string) string {
	const most = 250
	var parts []string
	for start := 0; start < len(values); start += most {
		parts = append(parts, "ARRAY["+strings.Join(values[start:min(start+most, len(values))], ", ")+"]")
	}
	for len(parts) > 1 { // in pairs: one after the other would copy the first again and again
		var pairs []string
		for pair := range slices.Chunk(parts, 2) {
			if len(pair) == 2 {
				pair[0] = "(" + pair[0] + " || " + pair[1] + ")"
			}
			pairs = append(pairs, pair[0])
		}
		parts = pairs
	}
	return parts[0]
}
