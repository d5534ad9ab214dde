package jobs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/invoice/account"
	"github.com/creditmill/creditmill/invoice/catalog"
)

// missingBlocks are what the catalog lacks for accounts to go on, a block for each
// plan or pack and what of it is missing.
func (m *Mill) missingBlocks(missing []account.Missing) []Block {
	type lack struct{ kind, name, reason, currency string }
	byLack := map[lack][]account.Missing{}
	var lacks []lack
	for _, one := range missing {
		l := lack{one.Kind, one.Name, one.Reason, ""}
		if one.Reason == account.ReasonNoPrice {
			l.currency = one.Currency.String()
		}
		if byLack[l] == nil {
			lacks = append(lacks, l)
		}
		byLack[l] = append(byLack[l], one)
	}
	slices.SortFunc(lacks, func(a, b lack) int {
		return cmp.Or(strings.Compare(a.kind, b.kind), strings.Compare(a.name, b.name), strings.Compare(a.reason, b.reason), strings.Compare(a.currency, b.currency))
	})
	var blocks []Block
	for _, l := range lacks {
		all := byLack[l]
		first := slices.MinFunc(all, func(a, b account.Missing) int { return a.At.Compare(b.At) })
		what, with := "no version in force", ""
		if l.currency != "" {
			what, with = "no price in "+l.currency, " with a price in "+l.currency
		}
		b := Block{
			Reason: fmt.Sprintf("accounts that cannot go on: %s %s has %s", l.kind, l.name, what), Count: int64(len(all)),
			Resolve: fmt.Sprintf("write a version of %s %s%s into %s that is in force at %s: of those with an effective_from not after it, the newest counts",
				l.kind, l.name, with, m.catalogFile(l.kind, l.name, first.At), period.FormatInstant(first.At)),
		}
		for _, one := range all[:min(len(all), maxExamples+1)] {
			b.Examples = append(b.Examples, fmt.Sprintf("account %s at %s: %s %s", one.Account, period.FormatInstant(one.At), l.kind, l.name))
		}
		blocks = append(blocks, b.bounded())
	}
	return blocks
}

// catalogFile is the file that a version of a plan or pack is to be written into:
// that of the version in force at an instant, else of the newest there is.
func (m *Mill) catalogFile(kind, name string, at time.Time) string {
	var versions []catalog.VersionRef
	if kind == plan {
		for _, v := range m.Catalog.Plans() {
			versions = append(versions, v.VersionRef)
		}
	} else {
		for _, v := range m.Catalog.Packs() {
			versions = append(versions, v.VersionRef)
		}
	}
	file := ""
	for _, v := range versions { // by version
		if v.Name == name && (file == "" || !v.EffectiveFrom.After(at)) {
			file = v.File
		}
	}
	return cmp.Or(file, fmt.Sprintf("a file of `catalog` in %s (none has it now)", m.Config.File))
}
