-- Copies to be rejected whose raw text was not kept: their object is read again.
SELECT s."#object", s."#line"
FROM ingest_settled s
WHERE s.outcome <> 'skipped'
    AND NOT EXISTS (
        SELECT 1 FROM ingest_other n
        WHERE n."#kind" = 0 AND n."#object" = s."#object" AND n."#line" = s."#line")
ORDER BY s."#object", s."#line"
