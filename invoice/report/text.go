package report

import (
	"math/big"
	"strconv"

	"github.com/creditmill/creditmill/internal/page"
)

func count(n int64) string { return page.Group(strconv.FormatInt(n, 10)) }

// things writes a number of things: "1 call", "1,200 calls".
func things(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return count(n) + " " + thing + "s"
}

func amount(unit string, n *big.Rat) string { return page.Group(Text(unit, n)) }

// signed is an amount by which something changes.
func signed(unit string, n *big.Rat) string {
	if n.Sign() > 0 {
		return "+" + amount(unit, n)
	}
	return amount(unit, n)
}
