package account_test

import (
	"fmt"
	"math/big"
	"sort"
	"strings"
	"time"
)

func (m *model) look(t time.Time) {
	if m.alert == nil {
		return
	}
	under := m.balance(t).Cmp(rat(m.alert.below)) < 0
	if under && m.over {
		m.raise("low_balance", rat(m.alert.below), t)
	}
	m.over = !under
}

func (m *model) raise(kind string, threshold *big.Rat, t time.Time) {
	m.saw("alert: " + kind)
	a := modelAlert{kind: kind, threshold: threshold, at: t, usage: m.cycleUsage(), balance: m.balance(t), period: m.period}
	if m.cycle != nil {
		a.cycle = m.cycle.start
	}
	m.alerts = append(m.alerts, a)
}

func (m *model) call(i int, c callDef) {
	t := c.t
	if !m.opened {
		if m.unknown == "" {
			return
		}
		m.opened = true
		m.saw("an account opened by its first call")
		m.fresh = &planStart{plan: m.unknown}
		m.begin(t)
	}
	before := m.cycleUsage()
	m.sawCall(c)
	m.rated = append(m.rated, c)
	left := big.NewRat(c.micro, 1_000_000)
	pay := func() {
		for _, b := range m.usable(t) {
			if part := least(left, b.left()); part.Sign() > 0 {
				m.move(b, "burn", part, t)
				left = sub(left, part)
				m.pays[i] = append(m.pays[i], modelPay{bucket: b, kind: b.kind, x: part, t: t, period: m.period})
			}
		}
	}
	pay()
	needed := func() bool {
		return left.Sign() > 0 || m.topup != nil && m.balance(t).Cmp(rat(m.topup.below)) < 0
	}
	for needed() && m.keep(t) {
		m.sawKept(left.Sign() > 0)
		pay()
	}
	for m.topup != nil && m.topUps() < m.topup.most && needed() {
		if m.keptOfPeriod() > 0 {
			m.saw("a top-up besides kept ones")
		}
		pack, reason := m.findPack(m.topup.pack, t)
		if reason != "" {
			panic("model: top-up: " + reason)
		}
		m.saw(map[bool]string{true: "a top-up in mid-call", false: "a top-up for the balance"}[left.Sign() > 0])
		if c.micro == 0 {
			m.saw("a top-up by a call of no credits")
		}
		n := m.topUps() + 1
		id := fmt.Sprintf("%s/topup/%s/%d", m.account, m.periodStart(m.period).In(m.loc).Format("2006-01"), n)
		m.buys = append(m.buys, m.period)
		m.buy(&modelBucket{id: id, kind: "topup"}, modelCharge{kind: "topup", id: fmt.Sprint(n), n: n}, pack, rat(m.topup.units), t)
		pay()
	}
	if m.topup != nil && m.topUps() >= m.topup.most && m.topup.most > 0 && (left.Sign() > 0 || m.balance(t).Cmp(rat(m.topup.below)) < 0) {
		m.saw("as many top-ups as there may be")
	}
	parts := len(m.pays[i])
	if parts > 2 {
		m.saw("a call that three buckets or more pay")
	}
	if left.Sign() > 0 && m.cycle != nil && m.cycle.plan.steps != nil {
		plan := m.cycle.plan
		protect := plan.protect
		if m.protect != nil {
			protect = *m.protect
		}
		limit := m.limit
		if limit == "" {
			limit = plan.limit
		}
		if protect {
			m.saw(map[bool]string{true: "protection by the account's setting", false: "protection by the plan"}[m.protect != nil])
		}
		for !protect && left.Sign() > 0 {
			used := m.overageUsed(plan, 0)
			part := left
			if limit != "" {
				part = least(part, sub(rat(limit), used))
			}
			step := 0
			for plan.steps[step].upTo != "" && used.Cmp(rat(plan.steps[step].upTo)) >= 0 {
				step++
			}
			if plan.steps[step].upTo != "" {
				part = least(part, sub(rat(plan.steps[step].upTo), used))
			}
			if part.Sign() <= 0 {
				break
			}
			m.pays[i] = append(m.pays[i], modelPay{kind: "overage", x: part, plan: plan.name, version: plan.version, step: step + 1, t: t, period: m.period})
			left = sub(left, part)
			m.fixed = true
		}
		if over := len(m.pays[i]) - parts; over > 0 {
			m.saw("overage")
			if over > 1 {
				m.saw("a call's overage over several steps")
			}
		}
		if !protect && left.Sign() > 0 {
			m.saw(map[bool]string{true: "the account's limit of overage", false: "the plan's limit of overage"}[m.limit != ""])
		}
	}
	if left.Sign() > 0 && m.cycle == nil {
		m.saw("denied without a plan")
	}
	if left.Sign() > 0 {
		m.pays[i] = append(m.pays[i], modelPay{kind: "denied", x: left, t: t, period: m.period})
	}
	if m.cycle != nil && m.cycle.allowance.Sign() > 0 {
		percents := append([]int(nil), m.percent...)
		sort.Ints(percents)
		for _, p := range percents {
			need := mul(m.cycle.allowance, big.NewRat(int64(p), 100))
			if before.Cmp(need) < 0 && m.cycleUsage().Cmp(need) >= 0 {
				m.raise("percent", big.NewRat(int64(p), 1), t)
			}
		}
	}
	m.look(t)
}

// sawCall counts what is worth knowing about a call before anybody pays.
func (m *model) sawCall(c callDef) {
	if c.micro == 0 {
		m.saw("a call of no credits")
	}
	if m.cycle != nil && m.cycle.start.Equal(c.t) {
		m.saw("a call at a cycle's first instant")
	}
	for _, b := range m.buckets {
		if b.expires.Equal(c.t) {
			m.saw("a call at the instant of an expiry")
			break
		}
	}
	if payers := m.usable(c.t); len(payers) > 0 && c.micro > 0 {
		m.saw("first to pay: " + payers[0].kind)
		if payers[0].as == "allowance" && payers[0].priority == 10 {
			m.saw("first to pay: a former plan's allowance")
		}
	}
}

// topUps counts those of the period.
func (m *model) topUps() int {
	n := m.keptOfPeriod()
	for _, p := range m.buys {
		if p == m.period {
			n++
		}
	}
	return n
}

// overageUsed is the period's overage of a plan version, of one step or all (0).
func (m *model) overageUsed(p planDef, step int) *big.Rat {
	x := new(big.Rat)
	for _, splits := range m.pays {
		for _, s := range splits {
			if s.kind == "overage" && s.period == m.period && s.plan == p.name && s.version == p.version && (step == 0 || s.step == step) {
				x = add(x, s.x)
			}
		}
	}
	return x
}

// closePeriod charges the overage, and posts what was held again at the next
// period's start.
func (m *model) closePeriod() {
	end := m.periodStart(m.period + 1)
	for _, p := range m.catalog.plans {
		for i, s := range p.steps {
			used := m.overageUsed(p, i+1)
			if used.Sign() == 0 {
				continue
			}
			n := quo(used, rat(p.per))
			if p.blocks {
				whole := new(big.Int).Div(n.Num(), n.Denom())
				if !n.IsInt() {
					m.saw("a block of overage charged whole")
					whole.Add(whole, big.NewInt(1))
				}
				n = new(big.Rat).SetInt(whole)
			}
			if i > 0 {
				m.saw("overage charged by a second step")
			}
			m.charge(modelCharge{
				kind: "overage", id: fmt.Sprint(i + 1), item: fmt.Sprintf("%s/%d", p.name, i+1), at: end, quantity: used,
				amount: m.money(mul(n, rat(s.price[m.currency]))), version: p.version, step: i + 1,
			}, nil)
		}
	}
	for _, h := range m.held {
		for i := range m.events {
			if h.period == m.period && m.events[i].id == h.id {
				m.events[i].posted = end
			}
		}
	}
	m.profiles = append(m.profiles, m.profileLine())
	m.wasOpened = append(m.wasOpened, m.opened)
	m.rows = append(m.rows, m.rowLines())
}

func (m *model) profileLine() string {
	c := m.cycle
	if c == nil && m.endedAt(m.periodStart(m.period+1)) {
		c = m.prior
	}
	line := "profile " + m.name + " " + m.currency
	if c != nil {
		line += fmt.Sprintf(" %s v%d", c.plan.name, c.plan.version)
	}
	return line
}

// rowLines writes the period's balances as the engine's comparison does.
func (m *model) rowLines() []string {
	var out []string
	for _, b := range m.buckets {
		open := m.opening(b)
		if open.Sign() == 0 && b.period != m.period {
			continue
		}
		sums := map[string]*big.Rat{"burn": new(big.Rat), "expire": new(big.Rat), "void": new(big.Rat), "roll": new(big.Rat)}
		cash := map[string]*big.Rat{"burn": new(big.Rat), "expire": new(big.Rat), "void": new(big.Rat), "roll": new(big.Rat)}
		gone, left := new(big.Rat), new(big.Rat)
		for _, v := range b.moves {
			gone = add(gone, v.x)
			now := m.money(mul(b.price, quo(gone, b.granted)))
			if v.period == m.period {
				sums[v.what] = add(sums[v.what], v.x)
				cash[v.what] = add(cash[v.what], sub(now, left))
			}
			left = now
		}
		granted := new(big.Rat)
		if b.period == m.period {
			granted = b.granted
		}
		out = append(out, fmt.Sprintf("row %s %s p%d %s..%s open %s grant %s burn %s expire %s void %s roll %s left %s price %s use %s breakage %s deferred %s %s",
			b.id, b.kind, b.priority, stamp(b.starts), stamp(b.expires), num(open), num(granted), num(sums["burn"]), num(sums["expire"]),
			num(sums["void"]), num(sums["roll"]), num(b.left()), num(b.price), num(cash["burn"]), num(add(cash["expire"], cash["void"])),
			num(sub(b.price, left)), m.currency))
	}
	sort.Strings(out)
	return out
}

func num(r *big.Rat) string {
	s := r.FloatString(12)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339Nano)
}
