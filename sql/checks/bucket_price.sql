-- What was paid for a bucket is used, lost or still deferred, over its life, to the last cent (SPEC section 7, Revenue).
-- Only what rolled is missing, which is the price of the rollover bucket.
WITH lives AS (
  SELECT
    bucket_id, any_value(account) AS account, min(price) AS price, max(price) AS highest_price, count(DISTINCT currency) AS currencies,
    sum(recognised) AS recognised, sum(breakage) AS breakage, sum(rolled_out) AS rolled_out,
    arg_max(deferred, period) AS deferred, max(period) AS period
  FROM closed_balances
  GROUP BY bucket_id
)
SELECT *
FROM lives
WHERE
  price <> highest_price OR currencies <> 1
  OR price < recognised + breakage + deferred
  OR (rolled_out = 0 AND price <> recognised + breakage + deferred)
  OR (deferred <> 0 AND period <> (SELECT period FROM last_closed))
