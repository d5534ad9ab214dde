-- What the readings of an object count are its rows in usage and rejected. Account events name no object: an object
-- without usage may have given some.
WITH counted AS (
  SELECT source, object, sum(events) AS events, sum(rejects) AS rejects FROM all_objects GROUP BY source, object
), calls AS (
  SELECT source, object, count(*) AS n FROM all_usage GROUP BY source, object
), refused AS (
  SELECT source, object, count(*) AS n FROM all_rejected GROUP BY source, object
)
SELECT
  coalesce(c.source, u.source, r.source) AS source, coalesce(c.object, u.object, r.object) AS object,
  c.events, coalesce(u.n, 0) AS in_usage, c.rejects, coalesce(r.n, 0) AS in_rejected
FROM counted AS c
FULL JOIN calls AS u ON u.source = c.source AND u.object = c.object
FULL JOIN refused AS r ON r.source = coalesce(c.source, u.source) AND r.object = coalesce(c.object, u.object)
WHERE c.object IS NULL OR c.rejects <> coalesce(r.n, 0) OR (u.n IS NOT NULL AND c.events <> u.n)
