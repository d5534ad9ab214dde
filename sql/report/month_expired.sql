-- What expired in the month and what was taken back (voided), by kind of bucket, and the
-- revenue that both became (breakage), from `balances`.
SELECT
  kind, currency, count(*) AS buckets, count(DISTINCT account) AS accounts, sum(expired) AS expired, sum(voided) AS voided, sum(breakage) AS breakage
FROM balances WHERE period = $period AND (expired > 0 OR voided > 0 OR breakage <> 0)
GROUP BY kind, currency ORDER BY min(priority), kind, currency
