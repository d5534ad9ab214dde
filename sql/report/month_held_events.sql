-- Account events that are held, by type and reason. Those that a close left behind stand at
-- the first instant of the month after.
WITH held AS (
  SELECT type, held AS reason, count(*) AS events, count(DISTINCT account) AS accounts, min("at") AS first, max("at") AS last
  FROM account_events WHERE held IS NOT NULL AND strftime({{.Local "posted_at"}}, '%Y-%m') = $period GROUP BY type, held
)
SELECT *, least((SELECT count(*) FROM held), 20) AS shown, (SELECT count(*) FROM held) AS "of"
FROM held ORDER BY events DESC, type, reason LIMIT 20
