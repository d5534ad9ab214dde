-- Which accounts ran into overage this month, or were denied, and for how much?
-- overage: credits beyond their balances that are charged; charged: what they came to, NULL while the month is open.
-- denied: credits of calls that the gateway should have refused: reported, never charged.
-- last_at: the last call of both kinds. An open month is as far as the last apply has looked.
WITH
beyond AS (
  SELECT
    account,
    sum(CASE WHEN entry = 'overage' THEN credits ELSE 0 END) AS overage,
    sum(CASE WHEN entry = 'denied' THEN credits ELSE 0 END) AS denied,
    max("at") AS last_at
  FROM ledger
  WHERE period = $period AND entry IN ('overage', 'denied')
  GROUP BY account
),
charged AS (
  SELECT account, sum(amount) AS charged, max(currency) AS currency
  FROM revenue
  WHERE period = $period AND kind = 'overage'
  GROUP BY account
)
SELECT b.account, a.name, b.overage, c.charged, c.currency, b.denied, b.last_at
FROM beyond AS b
LEFT JOIN charged AS c ON c.account = b.account
LEFT JOIN accounts AS a ON a.account = b.account
ORDER BY b.overage DESC, b.denied DESC, b.account
