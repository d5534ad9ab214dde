-- Credits that no bucket paid, in one row, from `ledger`: overage is charged, denied is not.
WITH unpaid AS (
  SELECT account, entry, sum(credits) AS credits FROM ledger WHERE period = $period AND entry IN ('overage', 'denied') GROUP BY account, entry
)
SELECT
  CAST(COALESCE(sum(CASE WHEN entry = 'overage' THEN credits END), 0) AS DECIMAL(38, 6)) AS overage, count(*) FILTER (WHERE entry = 'overage') AS overage_accounts,
  CAST(COALESCE(sum(CASE WHEN entry = 'denied' THEN credits END), 0) AS DECIMAL(38, 6)) AS denied, count(*) FILTER (WHERE entry = 'denied') AS denied_accounts
FROM unpaid HAVING count(*) > 0
