-- The windows in which an account made most calls beyond its plan's rate limit. `of` is how
-- many windows were over it, `accounts` how many accounts had one.
WITH breaches AS (
  SELECT * FROM rate_limit_breaches WHERE period = $period
)
SELECT
  account, plan, window_start, window_end, rate_per, calls, rate_calls, calls - rate_calls AS beyond,
  least((SELECT count(*) FROM breaches), 15) AS shown, (SELECT count(*) FROM breaches) AS "of", (SELECT count(DISTINCT account) FROM breaches) AS accounts
FROM breaches ORDER BY calls - rate_calls DESC, account, window_start, rate_per LIMIT 15
