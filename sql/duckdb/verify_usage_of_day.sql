-- The calls of a span of time, a UTC day, as rated must have them: when each posts follows from the run that brought it
-- (SPEC section 8), and from re-rates since. A close may have left it behind, held (SPEC section 14, 26): then it posts
-- where rated says if closes may have brought it there.
CREATE OR REPLACE TEMP VIEW usage_of_day AS
WITH posted AS (
  SELECT
    u.* EXCLUDE ("#run"),
    CASE WHEN u."time" >= p.home OR u."time" >= p.open_start THEN u."time" ELSE p.open_start END AS posted_at,
    u."time" < p.open_start AND u."time" < p.home AS late
  FROM usage_by_run AS u
  JOIN postings AS p ON p.run = CAST(u."#run" AS BIGINT)
  WHERE u."time" >= TIMESTAMP {{literal (index . 0)}} AND u."time" < TIMESTAMP {{literal (index . 1)}}
), moved AS (
  SELECT source, account, event_id, "time", object, line, posted_at
  FROM rated_of_day
  WHERE late AND posted_at IN (SELECT to_start FROM left_to)
)
SELECT
  p.* REPLACE (
    CASE WHEN t.to_start IS NULL THEN p.posted_at ELSE t.to_start END AS posted_at,
    p.late OR t.to_start IS NOT NULL AS late
  )
FROM posted AS p
LEFT JOIN moved AS m
  ON m.source = p.source AND m.account = p.account AND m.event_id = p.event_id AND m."time" = p."time"
  AND m.object = p.object AND m.line = p.line
LEFT JOIN left_to AS t
  ON t.to_start = m.posted_at AND p.posted_at >= t.from_start AND p.posted_at < t.from_end
