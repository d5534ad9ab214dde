-- All rejects of the run, with the UTC day they belong to and in its order, so that
-- a day's statement passes over the others.
CREATE OR REPLACE TEMP TABLE ingest_reject AS
SELECT
    n."#object", o.source, o.object, n."#line" AS line, n."#offset" AS byte_offset, n."#reason" AS reason,
    n."#detail" AS detail, n."#raw" AS raw, CAST(coalesce(n."time", CAST($1 AS TIMESTAMP)) AS DATE) AS day,
    false AS accepted
FROM ingest_other n
JOIN ingest_object o ON o.number = n."#object"
WHERE n."#kind" = 2 AND o.kept
{{- if .Settled}}
UNION ALL
SELECT
    s."#object", o.source, o.object, s."#line", s."#offset", s.outcome, s.detail,
    coalesce(r."#raw", n."#raw"), CAST(s."time" AS DATE), false
FROM ingest_settled s
JOIN ingest_object o ON o.number = s."#object"
LEFT JOIN ingest_raw r ON r."#object" = s."#object" AND r."#line" = s."#line"
LEFT JOIN ingest_other n ON n."#kind" = 0 AND n."#object" = s."#object" AND n."#line" = s."#line"
WHERE s.outcome <> 'skipped'
{{- end}}
ORDER BY day
