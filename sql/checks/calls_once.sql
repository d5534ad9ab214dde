-- A call counts once for each source, account, id and period of its time, $1 to $2 (SPEC section 3, Once). Only ids
-- whose hash comes twice are compared in full, and of the hashes one part ($4) of several ($3) at a time.
WITH keyed AS (
  SELECT source, account, event_id, "time", hash(source, account, event_id) AS key_hash
  FROM period_usage
  WHERE "time" >= $1 AND "time" < $2
), doubtful AS (
  SELECT key_hash
  FROM keyed
  WHERE key_hash % CAST($3 AS UBIGINT) = CAST($4 AS UBIGINT)
  GROUP BY key_hash
  HAVING count(*) > 1
)
SELECT source, account, event_id, count(*) AS copies, min("time") AS first, max("time") AS last
FROM keyed
WHERE key_hash IN (SELECT key_hash FROM doubtful)
GROUP BY source, account, event_id
HAVING count(*) > 1
