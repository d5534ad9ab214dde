-- The rejects that are not to be written, for each object by reason.
SELECT r."#object", r.reason, 0, count(*)
FROM ingest_reject r
JOIN ingest_kept k ON k."#object" = r."#object" AND k.line = r.line
GROUP BY ALL
ORDER BY ALL
