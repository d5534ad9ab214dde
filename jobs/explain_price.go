package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/when"
	"github.com/creditmill/creditmill/internal/yamlfile"
	"github.com/creditmill/creditmill/rate/price"
)

// An ExplainedPrice is which rule priced a call, and how.
type ExplainedPrice struct {
	Rated   bool    `json:"rated"` // false: what the next `rate` would make of it
	Table   *string `json:"price_table"`
	Version *int    `json:"price_version"`
	Rule    *int    `json:"rule"`
	File    *string `json:"file"` // file:line:column of the rule; the file alone where no rule matched
	Credits string  `json:"credits"`

	Operation  *string         `json:"rule_operation"` // the rule in words
	Conditions []string        `json:"rule_when"`
	Charge     []string        `json:"rule_charge"`
	Steps      []ExplainedStep `json:"steps"`      // the arithmetic
	Worked     *string         `json:"worked"`     // what it comes to; null: the version cannot be read any more
	Agrees     *bool           `json:"agrees"`     // with what was rated; null as worked
	Difference *string         `json:"difference"` // what disagrees
	Note       *string         `json:"note"`

	why *string // of a held call
}

// An ExplainedStep is one step of the arithmetic.
type ExplainedStep struct {
	Step   string  `json:"step"`
	Text   string  `json:"text"`
	Result *string `json:"result"`
}

// explainPrice works a call's price out again, by the version that rated it or, where
// row is nil, by the one in force.
func (d *desk) explainPrice(ctx context.Context, out *CallExplanation, row *ratedRow) (*ExplainedPrice, error) {
	c := out.Call
	p := &ExplainedPrice{Rated: row != nil, Credits: "0", Conditions: []string{}, Charge: []string{}, Steps: []ExplainedStep{}}
	var v *price.Version
	switch {
	case row == nil:
		v = d.mill.Prices.InForce(c.Operation, c.time)
	case row.table.Valid:
		var note string
		var err error
		if v, note, err = d.priceVersion(ctx, row.table.String, int(row.version.Int64)); err != nil {
			return nil, err
		}
		p.Note = optionalText(note)
	}
	if row != nil {
		p.Credits = plainDecimal(row.credits)
		if row.table.Valid {
			version := int(row.version.Int64)
			p.Table, p.Version = &row.table.String, &version
		}
		if row.rule.Valid {
			rule := int(row.rule.Int64)
			p.Rule = &rule
		}
	}
	if v == nil {
		if row == nil || !row.table.Valid {
			p.why = optionalText("no version of a price table that applies to " + c.Operation + " was in force")
			if row == nil {
				p.Note = p.why
			}
		}
		return p, nil
	}
	worked := v.Explain(c.Operation, c.value)
	if row == nil {
		p.Table, p.Version, p.Credits = &v.Table, &v.Version, worked.Credits.String()
		if worked.Rule > 0 {
			p.Rule = &worked.Rule
		}
	}
	p.describe(v)
	for _, step := range worked.Steps {
		p.Steps = append(p.Steps, ExplainedStep{step.Step, step.Text, optionalText(step.Result)})
	}
	p.why = optionalText(worked.Why)
	result := worked.Credits.String()
	p.Worked = &result
	switch {
	case row != nil:
		p.compare(row, worked)
	case worked.Held != "":
		p.Note = optionalText("it would be held: " + worked.Held + ": " + worked.Why)
	}
	return p, nil
}

// describe says the rule in words, and where it is written.
func (p *ExplainedPrice) describe(v *price.Version) {
	rule := 0
	if p.Rule != nil {
		rule = *p.Rule
	}
	place := v.Place(rule)
	p.File = &place
	if rule < 1 || rule > len(v.Rules) {
		return
	}
	r := v.Rules[rule-1]
	operation := r.OperationWords()
	p.Operation, p.Conditions, p.Charge = &operation, append(p.Conditions, r.WhenWords()...), append(p.Charge, r.PriceWords()...)
}

// compare says whether the arithmetic comes to what was rated. It cannot but do so
// while nobody has tampered with the lake: a version in use never changes.
func (p *ExplainedPrice) compare(row *ratedRow, worked price.Explanation) {
	rated, err := credit.Parse(row.credits)
	held := row.held.String
	if held == price.AccountNotOpened {
		held = worked.Held // what the price would be says nothing of the account
		rated = worked.Credits
	}
	agrees := err == nil && rated == worked.Credits && held == worked.Held && int64(worked.Rule) == row.rule.Int64
	p.Agrees = &agrees
	if !agrees {
		p.Difference = optionalText(fmt.Sprintf("rated: rule %d, %s credits%s; worked out here: rule %d, %s credits%s",
			row.rule.Int64, plainDecimal(row.credits), heldText(row.held.String), worked.Rule, worked.Credits, heldText(worked.Held)))
	}
}

func heldText(reason string) string {
	if reason == "" {
		return ""
	}
	return ", held: " + reason
}

// value is what conditions and charges may ask of the call.
func (c *ExplainedCall) value(name string) when.Value {
	text := c.values[name]
	number := slices.ContainsFunc(c.Quantities, func(q NamedValue) bool { return q.Name == name })
	switch name {
	case "account":
		text = &c.Account
	case "project":
		text = c.Project
	case "key":
		text = c.Key
	case "source":
		text = &c.Source
	}
	if text == nil {
		return when.Value{Null: true}
	}
	return when.Value{Text: *text, Number: number}
}

// priceVersion is a version of a price table: of the configuration or, where that
// lacks it, from the copy that a run kept of its file. note says which, if not the
// configuration's; the version is nil where neither has it.
func (d *desk) priceVersion(ctx context.Context, table string, version int) (v *price.Version, note string, err error) {
	if v := d.mill.Prices.Find(table, version); v != nil {
		return v, "", nil
	}
	state := d.mill.Lake.State()
	if _, used := state.Used(lake.VersionRef{Kind: priceTable, Name: table, Version: version}); used > 0 {
		run, err := d.mill.Lake.Run(ctx, used)
		if err != nil {
			return nil, "", err
		}
		for _, ref := range run.Configs {
			content, err := lake.ReadAll(ctx, d.mill.Lake.Store, "configs/"+ref.SHA256)
			if errors.Is(err, lake.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, "", err
			}
			var problems yamlfile.Problems
			kept := price.Parse([]price.File{{Name: ref.Name, Content: content}}, state.Columns, &problems)
			if v := kept.Find(table, version); v != nil && problems.Len() == 0 {
				return v, fmt.Sprintf("the configuration has %s no more: this is the copy that run %d kept of %s", v.VersionRef, run.Number, ref.Name), nil
			}
		}
	}
	return nil, fmt.Sprintf("neither the configuration nor the lake has %s version %d any more: the arithmetic cannot be shown", table, version), nil
}
