-- When what an account has left expires, soonest first: ten days, and what comes later in one row. Credits that never
-- expire are not in it.
WITH stand AS (
  SELECT coalesce((SELECT "end" FROM periods WHERE period = $period AND state = 'closed'), CASE WHEN balances_period = $period THEN balances_at END) AS stood
  FROM as_of
),
days AS (
  SELECT CAST({{.LocalAtAnyTime "expires_at"}} AS DATE) AS day, sum(remaining) AS credits
  FROM balances, stand
  WHERE account = $account AND period = $period AND remaining > 0 AND expires_at > stood
  GROUP BY day
),
ordered AS (
  SELECT row_number() OVER (ORDER BY day) AS place, day, credits FROM days
),
shown AS (
  SELECT place, CAST(day AS VARCHAR) AS expires, credits FROM ordered WHERE place <= 10
  UNION ALL
  SELECT CAST(11 AS BIGINT), 'later, on ' || CAST(count(*) AS VARCHAR) || ' days', sum(credits) FROM ordered WHERE place > 10 HAVING count(*) > 0
)
SELECT expires, CAST(credits AS DECIMAL(38,6)) AS credits
FROM shown
ORDER BY place
