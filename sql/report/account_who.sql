-- Who an account is, and on which plan and cycle it stood at the month's end, or as far as the open month has been
-- burned down. Days are those of the billing time zone.
WITH stand AS (
  SELECT coalesce((SELECT "end" FROM periods WHERE period = $period AND state = 'closed'), CASE WHEN balances_period = $period THEN balances_at END, run_at) AS stood
  FROM as_of
),
party AS (
  SELECT name, currency, opened_at FROM accounts WHERE account = $account
),
subscribed AS (
  SELECT s.plan, s.plan_version FROM subscriptions AS s, stand
  WHERE s.account = $account AND s.from_at < stood AND (s.to_at IS NULL OR s.to_at >= stood)
  ORDER BY s.from_at DESC LIMIT 1
),
cycle AS (
  SELECT b.starts_at, b.expires_at FROM balances AS b, stand
  WHERE b.account = $account AND b.period = $period AND b.kind = 'allowance' AND b.priority = 40 AND b.starts_at < stood AND b.expires_at >= stood
  ORDER BY b.starts_at DESC LIMIT 1
),
facts AS (
  SELECT 1 AS place, 'Account' AS what, $account AS value
  UNION ALL SELECT 2, 'Name', name FROM party
  UNION ALL SELECT 3, 'Customer since', CAST(CAST({{.LocalAtAnyTime "opened_at"}} AS DATE) AS VARCHAR) FROM party
  UNION ALL SELECT 4, 'Plan', plan || ', version ' || CAST(plan_version AS VARCHAR) FROM subscribed
  UNION ALL SELECT 5, 'Cycle', CAST(CAST({{.LocalAtAnyTime "starts_at"}} AS DATE) AS VARCHAR) || ' to ' || CAST(CAST({{.LocalAtAnyTime "expires_at"}} AS DATE) AS VARCHAR) FROM cycle
  UNION ALL SELECT 6, 'Currency', currency FROM party
)
SELECT what, value
FROM facts
WHERE value IS NOT NULL
ORDER BY place
