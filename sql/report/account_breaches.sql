-- The hours or days of a month in which an account called more often than its plan's limit: the twenty with the most
-- calls above it, and how many more there are.
WITH ordered AS (
  SELECT row_number() OVER (ORDER BY calls - rate_calls DESC, window_start, plan) AS place, * FROM rate_limit_breaches WHERE account = $account AND period = $period
),
shown AS (
  SELECT
    place, strftime({{.Local "window_start"}}, '%Y-%m-%d %H:%M') AS began, rate_per AS one, calls, rate_calls AS allowed, calls - rate_calls AS above
  FROM ordered WHERE place <= 20
  UNION ALL
  SELECT CAST(21 AS BIGINT), 'and ' || CAST(count(*) AS VARCHAR) || ' more', NULL, NULL, NULL, NULL FROM ordered WHERE place > 20 HAVING count(*) > 0
)
SELECT began AS "from", one AS "for", CAST(calls AS BIGINT) AS calls, CAST(allowed AS BIGINT) AS allowed, CAST(above AS BIGINT) AS above
FROM shown
ORDER BY place
