-- What expired in the month, by kind of bucket, and the revenue that it became (breakage,
-- which voids are in too), from `balances`.
SELECT
  kind, currency, count(*) AS buckets, count(DISTINCT account) AS accounts, sum(expired) AS expired, sum(breakage) AS breakage
FROM balances WHERE period = $period AND expired > 0 GROUP BY kind, currency ORDER BY min(priority), kind, currency
