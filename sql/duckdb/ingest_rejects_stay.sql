-- The rows of a file of rejected ($1) that stay: of a line whose record was taken back
-- once, and was read otherwise since, one may stay.
SELECT * FROM rejects_left
ANTI JOIN (SELECT source, object, line, reason FROM ingest_superseded WHERE file = $1) USING (source, object, line, reason)
ORDER BY object, source, line
