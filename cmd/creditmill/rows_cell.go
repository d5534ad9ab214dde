package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/duckdb/duckdb-go/v2"

	"github.com/creditmill/creditmill/internal/fixed"
	"github.com/creditmill/creditmill/internal/period"
)

// cell turns a value of the driver into one that prints and encodes exactly.
func cell(value any, typeName string) any {
	switch v := value.(type) {
	case nil, string, bool:
		return v
	case duckdb.Decimal:
		return decimal(decimalText(v.Value, int(v.Scale)))
	case *big.Int:
		return json.Number(v.String())
	case int8, int16, int32, int64, int, uint8, uint16, uint32, uint64:
		return json.Number(fmt.Sprint(v))
	case float32:
		return float(float64(v), 32)
	case float64:
		return float(v, 64)
	case time.Time:
		return timeText(v, typeName)
	case duckdb.Interval:
		return intervalText(v)
	case duckdb.UUID:
		return v.String()
	case []byte:
		if typeName == "UUID" {
			return (*duckdb.UUID)(v).String()
		}
		return hex.EncodeToString(v)
	case duckdb.Union:
		return cell(v.Value, "")
	case []any:
		inner := listOf.ReplaceAllString(typeName, "")
		list := make([]any, len(v))
		for i := range v {
			list[i] = cell(v[i], inner)
		}
		return list
	case map[string]any:
		fields := make(map[string]any, len(v))
		for name, field := range v {
			fields[name] = cell(field, "")
		}
		return fields
	case duckdb.OrderedMap:
		fields := make(map[string]any, v.Len())
		for i, key := range v.Keys() {
			fields[plain(cell(key, ""))] = cell(v.Values()[i], "")
		}
		return fields
	default:
		return fmt.Sprint(v)
	}
}

// listOf is what the name of a list's type has after that of its elements.
var listOf = regexp.MustCompile(`\[\d*\]$`)

// float is the shortest number that reads as the same float; what is none is a text.
func float(v float64, bits int) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Sprint(v)
	}
	format := byte('f')
	if size := math.Abs(v); size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	return json.Number(strconv.FormatFloat(v, format, -1, bits))
}

func timeText(t time.Time, typeName string) string {
	switch typeName {
	case "DATE":
		return t.Format(time.DateOnly)
	case "TIME":
		return t.Format("15:04:05.999999")
	case "TIMETZ":
		return t.Format("15:04:05.999999Z07:00")
	}
	return period.FormatInstant(t)
}

// intervalText is an interval as DuckDB writes it: its months, days and microseconds
// stand apart, for none is a number of another.
func intervalText(v duckdb.Interval) string {
	var parts []string
	for _, part := range []struct {
		n    int32
		unit string
	}{{v.Months / 12, "year"}, {v.Months % 12, "month"}, {v.Days, "day"}} {
		switch part.n {
		case 0:
		case 1, -1:
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.unit))
		default:
			parts = append(parts, fmt.Sprintf("%d %ss", part.n, part.unit))
		}
	}
	if v.Micros == 0 && len(parts) > 0 {
		return strings.Join(parts, " ")
	}
	sign, micros := "", new(big.Int).Abs(big.NewInt(v.Micros)).Uint64()
	if v.Micros < 0 {
		sign = "-"
	}
	seconds := micros / 1e6
	text := fmt.Sprintf("%s%02d:%02d:%02d", sign, seconds/3600, seconds/60%60, seconds%60)
	if micros %= 1e6; micros > 0 {
		text += strings.TrimRight(fmt.Sprintf(".%06d", micros), "0")
	}
	return strings.Join(append(parts, text), " ")
}

// decimalText writes units of 10^-scale with all of their digits.
func decimalText(units *big.Int, scale int) string {
	return fixed.Format(decimal128.FromBigInt(units), scale, scale)
}
