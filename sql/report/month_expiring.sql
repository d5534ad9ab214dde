-- What is left at the month's end, or as far as the open month was burned down, by the
-- month in which it expires and the kind of bucket. An expiry at a month's very end is one
-- of that month. After twelve months: 'later'; what never expires: NULL.
WITH remaining AS (
  SELECT
    kind, priority, remaining, account, strftime({{.LocalAtAnyTime "expires_at"}} - to_microseconds(1), '%Y-%m') AS month,
    strftime(CAST($period || '-01' AS DATE) + to_months(12), '%Y-%m') AS last
  FROM balances WHERE period = $period AND remaining > 0
)
SELECT
  CASE WHEN month > last THEN 'later' ELSE month END AS month, kind, count(*) AS buckets, count(DISTINCT account) AS accounts, sum(remaining) AS remaining
FROM remaining GROUP BY CASE WHEN month > last THEN 'later' ELSE month END, kind
ORDER BY min(priority), kind, month NULLS LAST
