-- What an account used on each day of a month, and the alerts that it reached. Calls that came late post to the month's
-- first day. Of the open month it is as far as the newest run, or call, goes.
WITH used AS (
  SELECT CAST({{.Local "posted_at"}} AS DATE) AS day, count(*) AS calls, sum(credits) AS credits
  FROM rated WHERE account = $account AND period = $period AND held IS NULL
  GROUP BY day
),
reached AS (
  SELECT
    CAST({{.Local `"at"`}} AS DATE) AS day,
    string_agg(CASE WHEN kind = 'percent' THEN rtrim(rtrim(CAST(threshold AS VARCHAR), '0'), '.') || ' % of the allowance' ELSE 'low balance' END, ', ' ORDER BY "at", kind, threshold) AS alerts
  FROM alerts WHERE account = $account AND period = $period
  GROUP BY day
),
calendar AS (
  SELECT CAST(unnest(generate_series(CAST($period || '-01' AS DATE), CAST($period || '-01' AS DATE) + INTERVAL 1 MONTH - INTERVAL 1 DAY, INTERVAL 1 DAY)) AS DATE) AS day
),
known AS (
  SELECT
    CASE
      WHEN EXISTS (SELECT 1 FROM periods WHERE period = $period AND state = 'closed') THEN DATE '9999-12-31'
      ELSE greatest(CAST({{.Local "run_at"}} AS DATE), coalesce((SELECT max(day) FROM used), DATE '1970-01-01'))
    END AS last
  FROM as_of
)
SELECT c.day, coalesce(u.calls, 0) AS calls, CAST(coalesce(u.credits, 0) AS DECIMAL(38,6)) AS credits, r.alerts
FROM calendar AS c
LEFT JOIN used AS u ON u.day = c.day
LEFT JOIN reached AS r ON r.day = c.day
WHERE c.day <= (SELECT last FROM known)
ORDER BY c.day
