-- Who are the ten largest accounts of this month, and how did they change against the month before?
-- rank: by the credits they used; rank_before: in the month before, NULL if the account was not there.
-- credits, credits_before, change: used this month, the month before, and the difference.
-- charges, charges_before: invoiced for the month with its notes, without tax, in currency and currency_before; NULL
-- while the month is open, without an invoice, and in two currencies.
WITH
now AS (
  SELECT rank, account, name, credits, charges, currency FROM top_accounts WHERE period = $period AND rank <= 10
),
before AS (
  SELECT rank, account, credits, charges, currency FROM top_accounts
  WHERE period = strftime(CAST($period || '-01' AS DATE) - INTERVAL 1 MONTH, '%Y-%m')
)
SELECT
  n.rank, b.rank AS rank_before, n.account, n.name, n.credits, COALESCE(b.credits, 0) AS credits_before,
  n.credits - COALESCE(b.credits, 0) AS change, n.charges, n.currency, b.charges AS charges_before, b.currency AS currency_before
FROM now AS n
LEFT JOIN before AS b ON b.account = n.account
ORDER BY n.rank
