package bucket

import (
	"strconv"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/period"
)

// The parts of bucket ids (SPEC section 6). Ids of accounts and events are
// percent-encoded in them, so that a slash always parts.

// AllowanceID is ACCOUNT/allowance/CYCLE-START.
func AllowanceID(account string, cycleStart time.Time) string {
	return join(account, "allowance", period.FormatInstant(cycleStart))
}

// RolloverID is ACCOUNT/rollover/CYCLE-END.
func RolloverID(account string, cycleEnd time.Time) string {
	return join(account, "rollover", period.FormatInstant(cycleEnd))
}

// EventID is ACCOUNT/pack/EVENT-ID, or the same for promotion and opened.
func EventID(account string, kind Kind, event string) string {
	return join(account, string(kind), Escape(event))
}

// TopUpID is ACCOUNT/topup/PERIOD/N; n counts from 1.
func TopUpID(account string, p period.Period, n int) string {
	return join(account, "topup", p.String()) + "/" + strconv.Itoa(n)
}

func join(account, kind, rest string) string { return Escape(account) + "/" + kind + "/" + rest }

// Escape percent-encodes an id that becomes part of another: every byte but
// letters, digits and "-._~" (RFC 3986, unreserved) becomes %XX.
func Escape(id string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(id) {
		c := id[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			out.WriteByte(c)
			continue
		}
		out.WriteByte('%')
		out.WriteByte(hex[c>>4])
		out.WriteByte(hex[c&15])
	}
	return out.String()
}
