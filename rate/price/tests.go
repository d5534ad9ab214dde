package price

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/creditmill/creditmill/internal/credit"
	"github.com/creditmill/creditmill/internal/fixed"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

// A Test is a call and what it must cost: users keep such tests beside their
// prices, and `check` runs them. No result depends on them.
type Test struct {
	Name string // may be empty
	Node yamlfile.Node
	Call Call
	Want Verdict // Table, Version and Rule are compared only where they are given
}

// A Verdict is what rating makes of a call: the columns price_table, price_version,
// rule, credits and held, of which NULL is the zero value.
type Verdict struct {
	Table         string
	Version, Rule int
	Credits       credit.Amount // 0 where Held
	Held          string
}

// Passes reports whether a verdict is what the test wants.
func (t Test) Passes(got Verdict) bool {
	w := t.Want
	return got.Held == w.Held && got.Credits == w.Credits &&
		(w.Table == "" || got.Table == w.Table) && (w.Version == 0 || got.Version == w.Version) && (w.Rule == 0 || got.Rule == w.Rule)
}

// String says the verdict in a few words: "18 credits (api version 1, rule 2)".
func (v Verdict) String() string {
	text := v.Credits.String() + " credits"
	switch {
	case v.Held != "":
		text = "held: " + v.Held
	case v.Credits == credit.FromInt(1):
		text = "1 credit"
	}
	var by []string
	switch {
	case v.Table != "" && v.Version != 0:
		by = append(by, VersionRef{Table: v.Table, Version: v.Version}.String())
	case v.Table != "":
		by = append(by, v.Table)
	case v.Version != 0:
		by = append(by, "version "+strconv.Itoa(v.Version))
	}
	if v.Rule != 0 {
		by = append(by, "rule "+strconv.Itoa(v.Rule))
	}
	if len(by) == 0 {
		return text
	}
	return text + " (" + strings.Join(by, ", ") + ")"
}

// ParseTests reads files of tests. declared are the dimensions and quantities of
// all sources, sources the names of those that bring usage. What is wrong goes to
// p; the tests are of use only when that stays empty.
func ParseTests(files []File, declared []lake.Column, sources []string, p *yamlfile.Problems) []Test {
	t := testParser{parser{p, types(declared)}, CallColumns(declared), sources}
	var all []Test
	for _, file := range files {
		all = append(all, t.file(file)...)
	}
	return all
}

// A testParser reads files of tests against the columns of a call.
type testParser struct {
	parser
	columns []lake.Column
	sources []string
}

func (t testParser) file(file File) []Test {
	doc := yamlfile.Single(yamlfile.Parse(file.Name, file.Content, t.Problems), t.Problems)
	if doc.IsZero() {
		return nil
	}
	o := t.Object(doc, "a file of tests")
	standard := t.standard()
	if n := o.Get("defaults"); !n.IsZero() {
		t.fill(n, "defaults", standard)
	}
	list := o.Need("tests")
	if !list.IsZero() && (list.Kind() != yamlfile.List || len(list.Items()) == 0) {
		t.Add(list, "", "tests are a list of at least one test")
	}
	o.Done()
	tests := make([]Test, 0, len(list.Items()))
	for _, n := range list.Items() {
		tests = append(tests, t.test(n, standard))
	}
	return tests
}

func (t testParser) test(n yamlfile.Node, standard []any) Test {
	o := t.Object(n, "a test")
	test := Test{Name: t.String(o.Get("name")), Node: n}
	if call := o.Need("call"); !call.IsZero() {
		test.Call = t.call(call, standard)
	}
	test.Want = t.want(o)
	o.Done()
	return test
}

// want reads what the call must come to.
func (t testParser) want(o *yamlfile.Object) (want Verdict) {
	credits, held, rule := o.Get("credits"), o.Get("held"), o.Get("rule")
	switch {
	case o.Node().Kind() != yamlfile.Map:
	case credits.IsZero() && held.IsZero():
		t.Add(o.Node(), "such as credits: 18, or held: "+NoRule, `a test needs "credits" or "held"`)
	case !credits.IsZero() && !held.IsZero():
		t.Add(held, "what is held costs nothing: leave credits out", `a test has "credits" or "held", not both`)
	}
	if d := t.Amount(credits, credit.Scale, priceDigits); d != "" {
		want.Credits, _ = credit.Parse(d) // Amount let it through
	}
	want.Held = t.held(held)
	if table := o.Get("table"); !table.IsZero() {
		want.Table = t.id(table)
	}
	want.Version = t.number(o.Get("version"))
	if i := t.Int(rule); rule.Kind() == yamlfile.Number && (i < 1 || i > math.MaxInt32) {
		t.Add(rule, "", "rules count from 1")
	} else {
		want.Rule = int(i)
	}
	if want.Held == NoRule && !rule.IsZero() {
		t.Add(rule, "leave it out", "a call held for %s has no rule", NoRule)
	}
	return want
}

func (t testParser) held(n yamlfile.Node) string {
	if n.Kind() == yamlfile.String && n.Text() == AccountNotOpened {
		t.Add(n, "test what the call costs", "in a test every account is opened")
		return ""
	}
	return t.OneOf(n, NoRule, NullQuantity, UnlistedValue, BeyondLastStep, Overflow)
}

// A Call is a call as it stands in the table usage, without id, object and line.
type Call struct {
	columns []lake.Column
	values  []any
}

// The texts and the instant that every call has, in the order of the table usage.
var callColumns = slices.DeleteFunc(slices.Clone(lake.Usage.Columns), func(c lake.Column) bool {
	return c.Name == "event_id" || c.Name == "object" || c.Name == "line"
})

// CallColumns are the columns of a [Call]: usage's, and then those declared.
func CallColumns(declared []lake.Column) []lake.Column {
	return slices.Concat(callColumns, declared)
}

// Values are the call's values in the order of [CallColumns]: string, time.Time,
// int64 and decimal128.Num as the column is, nil for NULL. The caller must not
// change them.
func (c Call) Values() []any { return c.values }

// A Field is a value of a call with the name of its column.
type Field struct{ Name, Value string }

// Fields are the values that are not NULL, as text, in the order of [CallColumns].
func (c Call) Fields() (fields []Field) {
	for i, value := range c.values {
		text := ""
		switch v := value.(type) {
		case nil:
			continue
		case string:
			text = v
		case time.Time:
			text = period.FormatInstant(v)
		case int64:
			text = strconv.FormatInt(v, 10)
		case decimal128.Num:
			text = fixed.Format(v, quantityScale(c.columns[i].Type), 0)
		}
		fields = append(fields, Field{c.columns[i].Name, text})
	}
	return fields
}

// String says the call in one line: "image.generate at 2026-10-05T12:00:00Z,
// quality high, images 2". Account and source are left out.
func (c Call) String() string {
	var operation, at, rest string
	for _, f := range c.Fields() {
		switch f.Name {
		case "operation":
			operation = f.Value
		case "time":
			at = f.Value
		case "account", "source":
		default:
			rest += ", " + f.Name + " " + f.Value
		}
	}
	return operation + " at " + at + rest
}

// What a call has where a test does not say.
const standardAccount = "test"

func (t testParser) standard() []any {
	values := make([]any, len(t.columns))
	values[t.place("account")] = standardAccount
	values[t.place("source")] = ""
	if len(t.sources) > 0 {
		values[t.place("source")] = t.sources[0]
	}
	return values
}

func (t testParser) place(name string) int {
	return slices.IndexFunc(t.columns, func(c lake.Column) bool { return c.Name == name })
}

// call reads a test's call over what every call of the file has.
func (t testParser) call(n yamlfile.Node, standard []any) Call {
	c := Call{t.columns, slices.Clone(standard)}
	t.fill(n, "a call", c.values)
	if n.Kind() != yamlfile.Map {
		return c
	}
	for _, name := range []string{"operation", "time"} {
		if c.values[t.place(name)] == nil {
			t.Add(n, "give it here, or under defaults for every call of the file", "a call needs %q", name)
		}
	}
	return c
}

// fill reads the entries of a call into the values of its columns. what is the
// call, or what holds for all calls.
func (t testParser) fill(n yamlfile.Node, what string, values []any) {
	o := t.Object(n, what)
	unknown := false
	for _, pair := range n.Pairs() {
		if i := t.place(pair.Key.Text()); i >= 0 {
			values[i] = t.value(t.columns[i], pair.Value)
		} else {
			unknown = true
		}
	}
	if unknown {
		for _, c := range t.columns {
			o.Get(c.Name)
		}
		o.Done()
	}
}

// value reads one value; null is NULL, also over a default.
func (t testParser) value(c lake.Column, n yamlfile.Node) any {
	own := slices.Contains(callColumns, c)
	switch {
	case n.Kind() == yamlfile.Null && (!own || c.Name == "project" || c.Name == "key"):
		return nil
	case n.Kind() == yamlfile.Null:
		t.Add(n, "", "a call always has %s %s", article(c.Name), c.Name)
		return ""
	case c.Name == "time":
		return t.Instant(n)
	case isQuantity(c.Type):
		return t.quantity(c, n)
	}
	before := t.Len()
	text := t.text(n)
	if own && t.Len() == before {
		t.checkID(c.Name, text, n)
	}
	return text
}

// text reads what a log would give as a text: of a number its digits as they are
// written, of true and false the word.
func (t testParser) text(n yamlfile.Node) string {
	switch n.Kind() {
	case yamlfile.Number:
		return n.Text()
	case yamlfile.Bool:
		return strings.ToLower(n.Text())
	default:
		return t.String(n)
	}
}

func (t testParser) checkID(name, text string, n yamlfile.Node) {
	switch {
	case text == "":
		t.Add(n, "", "%s %s is never empty", article(name), name)
	case len(text) > 256:
		t.Add(n, "", "%s %s has at most 256 bytes", article(name), name)
	case strings.ContainsFunc(text, unicode.IsControl):
		t.Add(n, "", "%s %s has no control characters", article(name), name)
	case name == "source":
		t.OneOf(n, t.sources...)
	}
}

func article(word string) string {
	if strings.ContainsRune("aeiou", rune(word[0])) {
		return "an"
	}
	return "a"
}

func (t testParser) quantity(c lake.Column, n yamlfile.Node) any {
	if c.Type == lake.DecimalQuantityType {
		num, _ := fixed.Parse(t.Amount(n, 6, 12), 6) // Amount has told what is wrong
		return num
	}
	text := t.Amount(n, priceDigits, 19)
	whole, fraction, _ := strings.Cut(text, ".")
	i, err := strconv.ParseInt(whole, 10, 64)
	switch {
	case text == "": // told already
	case strings.Trim(fraction, "0") != "":
		t.Add(n, "", "%s is a whole quantity: %s has a fraction", c.Name, text)
	case err != nil:
		t.Add(n, "", "%s is too large for %s: at most %d", text, c.Name, math.MaxInt64)
	}
	return i
}
