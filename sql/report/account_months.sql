-- What an account used in each of twelve months, this one the last, and what it was charged for it: the month's invoice
-- and the notes that correct it, with tax.
WITH used AS (
  SELECT period, sum(calls) AS calls, sum(credits) AS credits
  FROM usage_by_operation WHERE account = $account AND period <= $period
  GROUP BY period
),
unpaid AS (
  SELECT period, sum(credits) FILTER (entry = 'overage') AS overage, sum(credits) FILTER (entry = 'denied') AS denied
  FROM ledger WHERE account = $account AND period <= $period AND entry IN ('overage', 'denied')
  GROUP BY period
),
charged AS (
  SELECT coalesce(corrects_period, period) AS period, sum(total) AS charged, max(currency) AS currency
  FROM invoices WHERE account = $account
  GROUP BY coalesce(corrects_period, period) HAVING count(DISTINCT currency) = 1
),
months AS (
  SELECT period FROM used UNION SELECT period FROM charged WHERE period <= $period UNION SELECT $period
)
SELECT
  m.period AS month, CAST(coalesce(u.calls, 0) AS BIGINT) AS calls, CAST(coalesce(u.credits, 0) AS DECIMAL(38,6)) AS credits,
  CAST(coalesce(n.overage, 0) AS DECIMAL(38,6)) AS overage, CAST(coalesce(n.denied, 0) AS DECIMAL(38,6)) AS denied,
  CAST(c.charged AS DECIMAL(38,4)) AS charged, c.currency
FROM months AS m
LEFT JOIN used AS u ON u.period = m.period
LEFT JOIN unpaid AS n ON n.period = m.period
LEFT JOIN charged AS c ON c.period = m.period
WHERE CAST(m.period || '-01' AS DATE) > CAST($period || '-01' AS DATE) - INTERVAL 12 MONTH
ORDER BY m.period
