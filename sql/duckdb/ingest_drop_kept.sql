-- Leaves the rejects that are to be written.
DELETE FROM ingest_reject r
USING ingest_kept k
WHERE k."#object" = r."#object" AND k.line = r.line
