package jobs

import (
	"bytes"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/duck"
)

// A name is found as a word of its own, however a log writes it, by DuckDB as by Go.
func TestMention(t *testing.T) {
	t.Parallel()
	session, err := duck.Open(t.Context(), duck.Options{Memory: "100MB", Scratch: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	for _, c := range []struct {
		name, text string
		found      bool
	}{
		{"acme", "acme", true},
		{"acme", `{"org":"acme","n":1}`, true},
		{"acme", `{"org":"acme2"}`, false},
		{"acme", `{"org":"2acme"}`, false},
		{"acme", `{"org":"acme_x"}`, false},
		{"acme", `{"org":"acme-x"}`, true}, // rather one too many than one too few
		{"acme", `{"org":"ACME"}`, false},
		{"acme", `{"org":"\u0061cm\u0065"}`, true},
		{"acme", `GET /v1%2Facme%2Fx`, true},
		{"acme", `GET /v1/acme/x`, true},
		{"acme", `first\nacme`, true},
		{"acme", "first\nacme\nlast", true},
		{"acme", "the acme", true},
		{"acme", "", false},
		{"é1", `{"org":"\u00E91"}`, true},
		{"é1", `{"org":"aé1"}`, false},
		{"é1", `%C3%A91`, true},
		{"é1", `%c3%a91`, true},
		{"𝄞", `\ud834\udd1e`, true},
		{`o"h`, `{"org":"o\"h"}`, true},
		{`o"h`, `a,"o""h",b`, true},
		{`o"h`, `o%22h/pack/1`, true},
		{`o"h`, `o'h`, false},
		{`a\b/c`, `{"org":"a\\b\/c"}`, true},
		{"a b", "q=a+b&", true},
		{"a.b", "axb", false},
		{"a.b", "x a.b.", true},
		{"100%", `{"org":"100%"}`, true},
		{"100%", "x100%", false},
		{"%x", "a%xb", false},
		{"%x", "a%x", true},
		{"(a|b)*", "x(a|b)*", true},
		{"(a|b)*", "xab", false},
		{"jane@example.com", `"user":"jane@example.com"`, true},
		{"jane@example.com", `"user":"mary-jane@example.com"`, true},
		{"jane@example.com", `"user":"mary@example.com"`, false},
	} {
		p := person{mention: mention(c.name)}
		if p.mentions(c.text) != c.found {
			t.Errorf("%q in %q: %v, by %s", c.name, c.text, !c.found, p.mention)
		}
		var found bool
		if err := session.Row(t.Context(), "SELECT regexp_matches($1, "+duck.Literal(p.mention)+")", c.text).Scan(&found); err != nil || found != c.found {
			t.Errorf("DuckDB: %q in %q: %v, %v", c.name, c.text, found, err)
		}
	}
}

// A pseudonym is all of what is random and nothing of the name.
func TestPseudonym(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		bits byte
		want string
	}{{0, strings.Repeat("a", 26)}, {0xff, strings.Repeat("7", 25) + "4"}} {
		p, err := newPerson(columnAccount, "acme", bytes.NewReader(bytes.Repeat([]byte{c.bits}, 16)))
		if err != nil || p.pseudonym != "forgotten-"+c.want || !pseudonymPattern.MatchString(p.pseudonym) {
			t.Errorf("%+v, %v", p, err)
		}
	}
	if _, err := newPerson(columnAccount, "acme", bytes.NewReader(make([]byte, 15))); err == nil {
		t.Error("a pseudonym of too little")
	}
}

// Of an account event what billing needs stays, as it was written.
func TestForgetPayload(t *testing.T) {
	t.Parallel()
	p := person{column: columnAccount, name: `o"h 1`, pseudonym: "forgotten-x"}
	const names = `"account":"o\"h 1","at":"2026-10-01T00:00:00Z","id":"e1"`
	for _, c := range []struct{ more, want string }{
		{
			`"type":"account.opened","name":"Jane","address":["1 Road"],"email":"j@x","tax":{"rate":0.210,"id":"T1","label":"VAT","note":"x"},"currency":"EUR"`,
			`"at":"2026-10-01T00:00:00Z","currency":"EUR","id":"e1","tax":{"label":"VAT","rate":0.210},"type":"account.opened"`,
		},
		{`"type":"account.updated","tax":null,"name":null`, `"at":"2026-10-01T00:00:00Z","id":"e1","tax":null,"type":"account.updated"`},
		{`"type":"account.updated","tax":{"reverse_charge":true,"id":"T2"}`, `"at":"2026-10-01T00:00:00Z","id":"e1","tax":{"reverse_charge":true},"type":"account.updated"`},
		{`"type":"bucket.voided","bucket":"o%22h%201/pack/<5>","reason":"Jane"`, `"at":"2026-10-01T00:00:00Z","bucket":"forgotten-x/pack/<5>","id":"e1","type":"bucket.voided"`},
		{`"type":"bucket.voided","bucket":"o%22h%2012/pack/5"`, `"at":"2026-10-01T00:00:00Z","bucket":"o%22h%2012/pack/5","id":"e1","type":"bucket.voided"`},
		{
			`"type":"credits.granted","credits":1e1,"reason":"Jane","expires_at":"2027-01-01T00:00:00Z","priority":5`,
			`"at":"2026-10-01T00:00:00Z","credits":1e1,"expires_at":"2027-01-01T00:00:00Z","id":"e1","priority":5,"type":"credits.granted"`,
		},
		{`"type":"charge.added","amount":"-7.50","description":"for Jane"`, `"amount":"-7.50","at":"2026-10-01T00:00:00Z","id":"e1","type":"charge.added"`},
		{`"type":"topup.set","pack":"p","units":"1.5","below":2,"most_per_period":3`, `"at":"2026-10-01T00:00:00Z","below":2,"id":"e1","most_per_period":3,"pack":"p","type":"topup.set","units":"1.5"`},
		{`"type":"overage.set","protection":false,"limit":"10"`, `"at":"2026-10-01T00:00:00Z","id":"e1","limit":"10","protection":false,"type":"overage.set"`},
	} {
		got, err := p.forgetPayload("{" + names + "," + c.more + "}")
		want := `{"account":"forgotten-x",` + c.want + "}" // sorted by name
		if err != nil || got != want {
			t.Errorf("%s: %v\n got %s\nwant %s", c.more, err, got, want)
		}
	}
}
