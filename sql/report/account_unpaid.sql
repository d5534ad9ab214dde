-- The days of a month on which an account's buckets did not pay for all: overage is charged, denied is not.
SELECT
  CAST({{.Local `"at"`}} AS DATE) AS day,
  CAST(coalesce(sum(credits) FILTER (entry = 'overage'), 0) AS DECIMAL(38,6)) AS overage,
  CAST(coalesce(sum(credits) FILTER (entry = 'denied'), 0) AS DECIMAL(38,6)) AS denied
FROM ledger
WHERE account = $account AND period = $period AND entry IN ('overage', 'denied')
GROUP BY day
ORDER BY day
