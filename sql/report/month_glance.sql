-- The month in one row: calls and credits (of a closed month from `statements`, else from
-- `rated`), what of it no bucket paid (from `ledger`), and what was kept out: calls held,
-- and records rejected, by the UTC day of their time, or of the run where they have none.
WITH
used AS (
  SELECT
    count(DISTINCT account) FILTER (WHERE calls > 0) AS accounts, CAST(sum(calls) AS BIGINT) AS calls, sum(credits) AS credits,
    CAST(sum(late_calls) AS BIGINT) AS late_calls, CAST(sum(held_calls) AS BIGINT) AS held_calls
  FROM usage_by_operation WHERE period = $period
),
unpaid AS (
  SELECT
    sum(CASE WHEN entry = 'overage' THEN credits ELSE 0 END) AS overage,
    sum(CASE WHEN entry = 'denied' THEN credits ELSE 0 END) AS denied
  FROM ledger WHERE period = $period
),
refused AS (
  SELECT count(*) AS records, count(*) FILTER (WHERE reason NOT IN ('duplicate', 'voided')) AS blocking
  FROM rejected WHERE day LIKE $period || '-%'
),
opened AS (
  SELECT count(DISTINCT account) AS accounts FROM balances WHERE period = $period
)
SELECT
  COALESCE(calls, 0) AS calls, COALESCE(late_calls, 0) AS late_calls, COALESCE(held_calls, 0) AS held_calls,
  CAST(COALESCE(credits, 0) AS DECIMAL(38, 6)) AS credits,
  u.accounts AS active_accounts, o.accounts AS accounts_with_buckets,
  CAST(COALESCE(overage, 0) AS DECIMAL(38, 6)) AS overage, CAST(COALESCE(denied, 0) AS DECIMAL(38, 6)) AS denied,
  records AS rejected, blocking AS rejected_faulty
FROM used AS u, unpaid AS p, refused AS r, opened AS o
