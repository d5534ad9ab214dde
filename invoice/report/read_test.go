package report

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/internal/period"
)

// found are hand-written differences of four accounts by today's configuration. cedar's
// two lines cancel out; dune owes more for one period and less for another.
const found = `
(NULL, '2026-08', 'acme', 'rated', NULL, 'credits', 100, 80, 10, 'price'),
(NULL, '2026-08', 'acme', 'overage_charge', 'pro@1/1', 'USD', 50, 40, 0, 'price'),
(NULL, '2026-08', 'acme', 'tax', 'VAT', 'USD', 10.50, 8.40, 0, 'price'),
(NULL, '2026-09', 'acme', 'balance', NULL, 'credits', 20, 40, 0, 'knock-on'),
(NULL, '2026-10', 'acme', 'balance', NULL, 'credits', 5, 25, 0, 'knock-on'),
(NULL, '2026-09', 'birch', 'rated', NULL, 'credits', 0, 30, 3, 'late usage'),
(NULL, '2026-09', 'birch', 'overage', NULL, 'credits', 0, 30, 0, 'late usage'),
(NULL, '2026-09', 'birch', 'overage_charge', 'pro@1/1', 'USD', 0, 1500, 0, 'late usage'),
(NULL, '2026-10', 'birch', 'rated', NULL, 'credits', 7.5, 0, 1, 'void'),
(NULL, '2026-10', 'birch', 'expired', NULL, 'credits', 0, 7.5, 0, 'void'),
(NULL, '2026-10', 'cedar', 'fee', 'pro', 'EUR', 89, 178, 0, 'account event, knock-on'),
(NULL, '2026-10', 'cedar', 'pack', 'starter', 'EUR', 89, 0, 0, 'account event'),
(NULL, '2026-08', 'dune', 'topup', 'starter', 'EUR', 0, 0.50, 0, 'late usage'),
(NULL, '2026-08', 'dune', 'tax', 'VAT', 'EUR', 0, 0.11, 0, 'late usage'),
(NULL, '2026-09', 'dune', 'charge', NULL, 'EUR', 0.30, 0, 0, 'void')`

// drafted are differences by two drafts; a third finds none.
const drafted = `
('b.yaml', '2026-08', 'acme', 'fee', 'pro', 'USD', 99, 89, 0, 'price'),
('a.yaml', '2026-08', 'acme', 'fee', 'pro', 'USD', 99, 109, 0, 'price'),
('a.yaml', '2026-08', 'birch', 'fee', 'pro', 'USD', 99, 109.05, 0, 'price'),
('a.yaml', '2026-09', 'acme', 'rated', NULL, 'credits', 1, 0.999999, 1, 'price')`

// withDifferences is a session in which the view differences has those rows.
func withDifferences(t *testing.T, rows string) *duck.Session {
	t.Helper()
	session, err := duck.Open(t.Context(), duck.Options{Scratch: t.TempDir(), Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	})
	from := "(VALUES " + rows + ")"
	if rows == "" {
		from = "(SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL WHERE false)"
	}
	err = session.Exec(t.Context(), `CREATE TEMP TABLE differences (draft VARCHAR, period VARCHAR, account VARCHAR, measure VARCHAR, item VARCHAR,
		unit VARCHAR, "before" DECIMAL(38,6), "after" DECIMAL(38,6), calls BIGINT, cause VARCHAR);
		INSERT INTO differences SELECT * FROM `+from)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func autumn(t *testing.T, o Options) Options {
	t.Helper()
	var errFrom, errThrough error
	o.From, errFrom = period.Parse("2026-08")
	o.Through, errThrough = period.Parse("2026-10")
	if errFrom != nil || errThrough != nil {
		t.Fatal(errFrom, errThrough)
	}
	if o.Limit == 0 {
		o.Limit = 20
	}
	return o
}

func read(ctx context.Context, t *testing.T, session *duck.Session, o Options) *Summary {
	t.Helper()
	s, err := Read(ctx, session, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func changeTexts(unit string, list []Change) string {
	var parts []string
	for _, c := range list {
		parts = append(parts, Text(unit, c.Before)+">"+Text(unit, c.After)+"="+Text(unit, c.Difference()))
	}
	return strings.Join(parts, " ")
}

func rowTexts(rows []Row) string {
	var lines []string
	for _, r := range rows {
		line := strings.TrimSpace(r.Name+" "+r.Measure) + " " + r.Unit + " " + changeTexts(r.Unit, r.Changes)
		if r.Measure == Rated {
			line += fmt.Sprint(" ", r.Calls)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func rankingTexts(list []Ranking) string {
	var lines []string
	for _, r := range list {
		lines = append(lines, fmt.Sprint(r.Unit, " of ", r.Of))
		for _, a := range r.Accounts {
			line := a.Name + " " + changeTexts(r.Unit, a.Changes) + " " + strings.Join(a.Causes, "+")
			if r.Unit == Credits {
				line += " holds " + changeTexts(r.Unit, a.Balances)
			}
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

func noteTexts(list []Notes) string {
	var lines []string
	for _, n := range list {
		line := n.Kind + " " + n.Currency
		for i, count := range n.Counts {
			line += fmt.Sprintf(" %d: %s+%s=%s", count, Text(n.Currency, n.Subtotal[i]), Text(n.Currency, n.Tax[i]), Text(n.Currency, n.Total(i)))
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func same(t *testing.T, what, got, want string) {
	t.Helper()
	if want = strings.TrimSpace(want); got != want {
		t.Errorf("%s: got\n%s\nwant\n%s", what, got, want)
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	s := read(t.Context(), t, withDifferences(t, found), autumn(t, Options{}))
	same(t, "drafts", fmt.Sprint(s.Drafts), "[{ 4 2 1 14}]")
	same(t, "units", fmt.Sprint(s.Units()), "[EUR USD credits]")
	same(t, "totals", rowTexts(s.Totals), `
subtotal EUR 178.30>178.50=0.20
tax EUR 0.00>0.11=0.11
total EUR 178.30>178.61=0.31
subtotal USD 50.00>1540.00=1490.00
tax USD 10.50>8.40=-2.10
total USD 60.50>1548.40=1487.90
rated credits 107.5>110=2.5 [14]
overage credits 0>30=30
expired credits 0>7.5=7.5
balance credits 5>25=20`)
	same(t, "causes", rowTexts(s.Causes), `
price total USD 60.50>48.40=-12.10
price rated credits 100>80=-20 [10]
late usage total EUR 0.00>0.61=0.61
late usage total USD 0.00>1500.00=1500.00
late usage rated credits 0>30=30 [3]
void total EUR 0.30>0.00=-0.30
void rated credits 7.5>0=-7.5 [1]
account event total EUR 89.00>0.00=-89.00
account event, knock-on total EUR 89.00>178.00=89.00`)
	same(t, "periods", rowTexts(s.Periods), `
2026-08 total EUR 0.00>0.61=0.61
2026-08 total USD 60.50>48.40=-12.10
2026-08 rated credits 100>80=-20 [10]
2026-09 total EUR 0.30>0.00=-0.30
2026-09 total USD 0.00>1500.00=1500.00
2026-09 rated credits 0>30=30 [3]
2026-09 overage credits 0>30=30
2026-09 balance credits 20>40=20
2026-10 total EUR 178.00>178.00=0.00
2026-10 rated credits 7.5>0=-7.5 [1]
2026-10 expired credits 0>7.5=7.5
2026-10 balance credits 5>25=20`)
	same(t, "accounts", rankingTexts(s.Rankings), `
EUR of 1
dune 0.30>0.61=0.31 late usage+void
USD of 2
birch 0.00>1500.00=1500.00 late usage
acme 60.50>48.40=-12.10 price
credits of 2
birch 7.5>30=22.5 late usage+void holds 0>0=0
acme 100>80=-20 price+knock-on holds 5>25=20`)
	same(t, "notes", noteTexts(s.Notes), `
credit_note EUR 1: -0.30+0.00=-0.30
credit_note USD 1: -10.00+-2.10=-12.10
debit_note EUR 1: 0.50+0.11=0.61
debit_note USD 1: 1500.00+0.00=1500.00`)
	// acme -12.10 is in [10, 100), birch 1500 in [1000, 10000), dune 0.31 below 1; what lies between is empty.
	same(t, "histograms", fmt.Sprint(s.Histograms),
		"[{EUR [{1 [1]}]} {USD [{-3 [1]} {-2 [0]} {-1 [0]} {1 [0]} {2 [0]} {3 [0]} {4 [0]} {5 [1]}]} {credits [{-3 [1]} {-2 [0]} {-1 [0]} {1 [0]} {2 [0]} {3 [1]}]}]")
	if s.Nothing() || len(s.Lines) > 0 {
		t.Errorf("nothing: %v, lines: %v", s.Nothing(), s.Lines)
	}
}

// Drafts stand in the order in which they were named, also one that changes nothing.
func TestReadDrafts(t *testing.T) {
	t.Parallel()
	s := read(t.Context(), t, withDifferences(t, drafted), autumn(t, Options{Drafts: []string{"b.yaml", "none.yaml", "a.yaml", "b.yaml"}, Limit: 1}))
	same(t, "drafts", fmt.Sprint(s.Drafts), "[{b.yaml 1 0 1 0} {none.yaml 0 0 0 0} {a.yaml 2 2 0 1}]")
	same(t, "totals", rowTexts(s.Totals), `
subtotal USD 99.00>89.00=-10.00 0.00>0.00=0.00 198.00>218.05=20.05
tax USD 0.00>0.00=0.00 0.00>0.00=0.00 0.00>0.00=0.00
total USD 99.00>89.00=-10.00 0.00>0.00=0.00 198.00>218.05=20.05
rated credits 0>0=0 0>0=0 1>0.999999=-0.000001 [0 0 1]`)
	// birch's change is the largest of any draft's.
	same(t, "accounts", rankingTexts(s.Rankings), `
USD of 2
birch 0.00>0.00=0.00 0.00>0.00=0.00 99.00>109.05=10.05 price
credits of 1
acme 0>0=0 0>0=0 1>0.999999=-0.000001 price holds 0>0=0 0>0=0 0>0=0`)
	same(t, "notes", noteTexts(s.Notes), `
credit_note USD 1: -10.00+0.00=-10.00 0: 0.00+0.00=0.00 0: 0.00+0.00=0.00
debit_note USD 0: 0.00+0.00=0.00 0: 0.00+0.00=0.00 2: 20.05+0.00=20.05`)
	// 10 and 10.05 have two digits before the point.
	same(t, "histograms", fmt.Sprint(s.Histograms),
		"[{USD [{-3 [1 0 0]} {-2 [0 0 0]} {-1 [0 0 0]} {1 [0 0 0]} {2 [0 0 0]} {3 [0 0 2]}]} {credits [{-1 [0 0 1]}]}]")
}

// A report of one account has nothing of others, and its lines, the first few of them.
func TestReadAccount(t *testing.T) {
	t.Parallel()
	session := withDifferences(t, found+`, (NULL, '2026-08', 'o''neil', 'fee', 'pro', 'USD', 1, 2, 0, 'price')`)
	s := read(t.Context(), t, session, autumn(t, Options{Account: "acme", Limit: 3}))
	same(t, "drafts", fmt.Sprint(s.Drafts), "[{ 1 0 1 10}]")
	var lines []string
	for _, l := range s.Lines {
		lines = append(lines, fmt.Sprintf("%d %s %s %s %s %s %d %s", l.Draft, l.Period, l.Measure, l.Item, l.Unit, Text(l.Unit, l.Change.Difference()), l.Calls, l.Cause))
	}
	same(t, "lines", fmt.Sprint(strings.Join(lines, "\n"), " of ", s.AllLines), `
0 2026-08 overage_charge pro@1/1 USD -10.00 0 price
0 2026-08 tax VAT USD -2.10 0 price
0 2026-08 rated  credits -20 10 price of 5`)
	s = read(t.Context(), t, session, autumn(t, Options{Account: "o'neil"}))
	same(t, "totals", rowTexts(s.Totals[2:]), "total USD 1.00>2.00=1.00")
}

func TestReadNothing(t *testing.T) {
	t.Parallel()
	s := read(t.Context(), t, withDifferences(t, ""), autumn(t, Options{}))
	if !s.Nothing() || len(s.Totals)+len(s.Causes)+len(s.Periods)+len(s.Rankings)+len(s.Histograms)+len(s.Notes) > 0 || len(s.Drafts) != 1 {
		t.Errorf("%+v", s)
	}
}

// What is handed out is the differences as they are, in order.
func TestParquet(t *testing.T) {
	t.Parallel()
	session := withDifferences(t, drafted+", "+strings.TrimSpace(found))
	for _, c := range []struct {
		account string
		rows    int64
		first   string
	}{
		{"", 19, "<nil> 2026-08 acme"},
		{"birch", 6, "<nil> 2026-09 birch"},
	} {
		read(t.Context(), t, session, autumn(t, Options{Account: c.account}))
		var out bytes.Buffer
		rows, err := Parquet(t.Context(), session, &out)
		if err != nil || rows != c.rows {
			t.Fatalf("%d rows, %v; want %d", rows, err, c.rows)
		}
		dir := t.TempDir()
		path := filepath.Join(dir, "copy.parquet")
		if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		other, err := duck.Open(t.Context(), duck.Options{Scratch: dir, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		var columns, types, first string
		var count int64
		err = other.Row(t.Context(), "SELECT string_agg(column_name, ' '), string_agg(column_type, ' ') FROM (DESCRIBE FROM read_parquet("+duck.Literal(path)+"))").Scan(&columns, &types)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "columns", columns, "draft period account measure item unit before after calls cause")
		same(t, "types", types, "VARCHAR VARCHAR VARCHAR VARCHAR VARCHAR VARCHAR DECIMAL(38,6) DECIMAL(38,6) BIGINT VARCHAR")
		err = other.Row(t.Context(), "SELECT count(*), (SELECT coalesce(draft, '<nil>') || ' ' || period || ' ' || account FROM read_parquet("+duck.Literal(path)+") LIMIT 1) FROM read_parquet("+duck.Literal(path)+")").Scan(&count, &first)
		if err != nil || count != c.rows || first != c.first {
			t.Errorf("%d rows, the first %s, %v; want %d and %s", count, first, err, c.rows, c.first)
		}
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	}
}
