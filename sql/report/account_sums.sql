-- An account's month in a few numbers. credits_left, overage and denied are NULL where the month has not been burned down
-- yet. Calls that are being looked at are in none of the other numbers.
WITH used AS (
  SELECT
    coalesce(sum(calls), 0) AS calls, coalesce(sum(credits), 0) AS credits, coalesce(sum(late_calls), 0) AS late_calls, coalesce(sum(held_calls), 0) AS held_calls
  FROM usage_by_operation WHERE account = $account AND period = $period
),
unpaid AS (
  SELECT
    coalesce(sum(credits) FILTER (entry = 'overage'), 0) AS overage,
    coalesce(sum(credits) FILTER (entry = 'denied'), 0) AS denied
  FROM ledger WHERE account = $account AND period = $period
),
held AS (
  SELECT coalesce(sum(remaining), 0) AS remaining FROM balances WHERE account = $account AND period = $period
),
known AS (
  SELECT EXISTS (SELECT 1 FROM periods WHERE period = $period AND state = 'closed') OR EXISTS (SELECT 1 FROM as_of WHERE balances_period = $period) AS burned_down
)
SELECT
  CASE WHEN burned_down THEN CAST(remaining AS DECIMAL(38,6)) END AS credits_left,
  CAST(used.credits AS DECIMAL(38,6)) AS credits_used,
  CAST(calls AS BIGINT) AS calls,
  CASE WHEN burned_down THEN CAST(overage AS DECIMAL(38,6)) END AS overage,
  CASE WHEN burned_down THEN CAST(denied AS DECIMAL(38,6)) END AS denied,
  CAST(late_calls AS BIGINT) AS late_calls,
  CAST(held_calls AS BIGINT) AS calls_being_looked_at
FROM used, unpaid, held, known
