-- The accounts of each month by the credits they used, and what they were charged for it: their invoice with the notes
-- that correct it, without tax. A currency that was wholly taken back does not count. An account that was charged in two
-- currencies has no sum of them: charges is NULL then, as without an invoice and in a month that is not closed.
WITH
used AS (
  SELECT account, sum(calls) AS calls, sum(credits) AS credits, period FROM usage_by_operation GROUP BY account, period HAVING sum(calls) > 0
),
charged AS (
  SELECT
    account, CASE WHEN count(currency) FILTER (charges <> 0) <= 1 THEN sum(charges) END AS charges,
    CASE WHEN count(currency) FILTER (charges <> 0) <= 1 THEN COALESCE(max(currency) FILTER (charges <> 0), max(currency)) END AS currency, period
  FROM (
    SELECT account, currency, sum(subtotal) AS charges, COALESCE(corrects_period, period) AS period FROM invoices GROUP BY ALL
  )
  GROUP BY account, period
),
both_of AS (
  SELECT
    account, CAST(sum(calls) AS BIGINT) AS calls, sum(credits) AS credits, max(charges) AS charges, max(currency) AS currency, period
  FROM (
    SELECT account, calls, credits, NULL AS charges, NULL AS currency, period FROM used
    UNION ALL
    SELECT account, 0, 0, charges, currency, period FROM charged
  )
  GROUP BY account, period
)
SELECT
  row_number() OVER (PARTITION BY b.period ORDER BY b.credits DESC, b.account) AS rank,
  b.account, a.name, b.calls, b.credits, b.charges, b.currency, b.period
FROM both_of AS b
LEFT JOIN accounts AS a ON a.account = b.account
