-- One UTC day's rejects, or those of them that count as accepted.
SELECT source, object, line, byte_offset, reason, detail, raw
FROM ingest_reject
WHERE day = CAST($1 AS DATE) AND accepted = $2
ORDER BY object, source, line
