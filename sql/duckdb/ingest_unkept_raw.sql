-- Copies to be rejected whose raw text the spool lacks: their object is read again.
SELECT s."#object", s."#line"
FROM ingest_settled s
JOIN ingest_spool n ON n."#object" = s."#object" AND n."#line" = s."#line"
WHERE s.outcome <> 'skipped' AND (n."#kind" = 1 OR n."#raw" IS NULL)
ORDER BY s."#object", s."#line"
