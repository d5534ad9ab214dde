-- What an account used in each of twelve months, this one the last, and what it was charged for it: the month's invoice
-- and the notes that correct it, with tax. A currency that was wholly taken back is left out, and two have no sum. The
-- rows begin with the first month in which the account used or was charged anything.
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
totals AS (
  SELECT coalesce(corrects_period, period) AS period, currency, sum(total) AS charged
  FROM invoices WHERE account = $account
  GROUP BY coalesce(corrects_period, period), currency
),
charged AS (
  SELECT period, sum(charged) AS charged, coalesce(max(currency) FILTER (charged <> 0), max(currency)) AS currency
  FROM totals
  GROUP BY period HAVING count(*) FILTER (charged <> 0) <= 1
),
known AS (
  SELECT min(period) AS first FROM (SELECT period FROM used UNION SELECT period FROM totals UNION SELECT $period)
),
months AS (
  SELECT strftime(unnest(generate_series(CAST($period || '-01' AS DATE) - INTERVAL 11 MONTH, CAST($period || '-01' AS DATE), INTERVAL 1 MONTH)), '%Y-%m') AS period
)
SELECT
  m.period AS month, CAST(coalesce(u.calls, 0) AS BIGINT) AS calls, CAST(coalesce(u.credits, 0) AS DECIMAL(38,6)) AS credits,
  CAST(coalesce(n.overage, 0) AS DECIMAL(38,6)) AS overage, CAST(coalesce(n.denied, 0) AS DECIMAL(38,6)) AS denied,
  CAST(c.charged AS DECIMAL(38,4)) AS charged, c.currency
FROM months AS m
LEFT JOIN used AS u ON u.period = m.period
LEFT JOIN unpaid AS n ON n.period = m.period
LEFT JOIN charged AS c ON c.period = m.period
WHERE m.period >= (SELECT first FROM known)
ORDER BY m.period
