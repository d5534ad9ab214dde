-- Calls and credits of each day of the month in the billing time zone, by operation: the
-- six that used most, and all others under NULL. From `rated`, by the instant that calls
-- burn at: late ones on the month's first day. Held calls are left out.
WITH
daily AS (
  SELECT day, operation, calls, credits FROM usage_by_day WHERE period = $period AND calls > 0
),
ranked AS (
  SELECT operation, row_number() OVER (ORDER BY sum(credits) DESC, sum(calls) DESC, operation) AS rank
  FROM daily GROUP BY operation
),
topped AS (
  SELECT least(r.rank, 7) AS rank, CASE WHEN r.rank <= 6 THEN d.operation END AS operation, d.day, d.calls, d.credits
  FROM daily AS d JOIN ranked AS r ON r.operation = d.operation
)
SELECT day, operation, CAST(sum(calls) AS BIGINT) AS calls, CAST(sum(credits) AS DECIMAL(38, 6)) AS credits
FROM topped GROUP BY rank, operation, day ORDER BY rank, day
