-- The buckets of the month by kind, from `balances`.
SELECT
  kind, count(*) AS buckets, count(DISTINCT account) AS accounts, sum(opening) AS opening, sum(granted) AS granted, sum(burned) AS burned,
  sum(expired) AS expired, sum(voided) AS voided, sum(rolled_out) AS rolled_out, sum(remaining) AS remaining
FROM balances WHERE period = $period GROUP BY kind ORDER BY min(priority), kind
