-- The rows of a file of rejected ($1) that stay.
SELECT * FROM rejects_left
ANTI JOIN (SELECT source, object, line FROM ingest_superseded WHERE file = $1) USING (source, object, line)
ORDER BY object, source, line
