-- What was used on each day of the billing time zone, by the instant that calls burn at: late calls on the day they
-- post. The days of a month add up to its statements. Held calls count in held_calls and in nothing else
-- (SPEC section 14, 26); a close moves what is held on, so closed months have none.
SELECT
  CAST({{.Local "posted_at"}} AS DATE) AS day, operation, count(*) - count(held) AS calls, sum(credits) AS credits,
  count(*) FILTER (WHERE late AND held IS NULL) AS late_calls, count(held) AS held_calls, period
FROM rated
GROUP BY CAST({{.Local "posted_at"}} AS DATE), operation, period
