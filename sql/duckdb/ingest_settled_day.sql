-- The copies of one UTC day's usage that do not count.
SELECT "#object", "#line"
FROM ingest_settled
WHERE "#kind" = 0 AND "time" >= CAST($1 AS TIMESTAMP) AND "time" < CAST($2 AS TIMESTAMP)
