-- One UTC day's rejects.
SELECT source, object, line, byte_offset, reason, detail, raw
FROM ingest_reject
WHERE day = CAST($1 AS DATE)
ORDER BY object, source, line
