package main

import (
	"strings"
	"testing"
)

// checkHistories compares what accounts, subscriptions and standings say of a world with
// what its closes have billed and granted. Each statement finds what does not agree.
func checkHistories(t *testing.T, config string) {
	t.Helper()
	for what, statement := range map[string]string{
		"a fee of a plan that is not in force then": `
			SELECT l.account, l.item, l."from" FROM invoice_lines AS l
			WHERE l.kind = 'fee' AND l.amount > 0 AND NOT EXISTS (
				FROM subscriptions AS s WHERE s.account = l.account AND s.plan = l.item AND s.from_at <= l."from" AND (s.to_at IS NULL OR l."from" < s.to_at))`,
		"an allowance without a subscription": `
			SELECT b.bucket_id FROM balances AS b
			WHERE b.kind = 'allowance' AND NOT EXISTS (
				FROM subscriptions AS s WHERE s.account = b.account AND s.from_at <= b.starts_at AND (s.to_at IS NULL OR b.starts_at < s.to_at))`,
		"a running cycle whose allowance was not granted, or otherwise": `
			SELECT s.account, s.from_at, s.allowance FROM standings AS s JOIN periods AS p ON s.from_at >= p.start AND s.from_at < p."end"
			WHERE s.allowance > 0 AND p.state = 'closed' AND NOT EXISTS (
				FROM balances AS b WHERE b.period = p.period AND b.account = s.account AND b.kind = 'allowance'
				AND b.starts_at = s.from_at AND b.expires_at = s.to_at AND b.granted = s.allowance)`,
		"another currency than that of invoices": `
			SELECT i.number, a.currency FROM invoices AS i LEFT JOIN accounts AS a ON a.account = i.account
			WHERE a.currency IS DISTINCT FROM i.currency`,
		"a plan without the subscription": `
			SELECT a.account, a.plan FROM accounts AS a, as_of WHERE (a.plan IS NOT NULL) <> EXISTS (
				FROM subscriptions AS s WHERE s.account = a.account AND s.plan IS NOT DISTINCT FROM a.plan AND s.from_at <= balances_at AND (s.to_at IS NULL OR balances_at < s.to_at))`,
		"subscriptions that overlap": `
			SELECT s.account, s.from_at FROM subscriptions AS s JOIN subscriptions AS o ON o.account = s.account AND o.from_at > s.from_at
			WHERE s.to_at IS NULL OR o.from_at < s.to_at`,
		"usage of an account that was not opened": `
			SELECT DISTINCT account FROM rated WHERE held IS NULL AND account NOT IN (SELECT account FROM accounts)`,
	} {
		if found := call(t, "query", "--config", config, "--format", "csv", statement); strings.Count(found, "\n") != 1 {
			t.Errorf("%s:\n%s", what, found)
		}
	}
	if found := call(t, "query", "--config", config, "--format", "csv", "SELECT 1 FROM accounts"); strings.Count(found, "\n") == 1 {
		t.Error("no account was opened")
	}
}
