-- All rejects of the run, with the UTC day they belong to: a scratch file, so that
-- each day's own file need not go through the whole spool.
SELECT
    o.source, o.object, n."#line" AS line, n."#offset" AS byte_offset, n."#reason" AS reason,
    n."#detail" AS detail, n."#raw" AS raw, CAST(coalesce(n."time", CAST($1 AS TIMESTAMP)) AS DATE) AS day, n."time" AS "at"
FROM ingest_spool n
JOIN ingest_object o ON o.number = n."#object"
WHERE n."#kind" = 2 AND o.kept
{{- if .Settled}}
UNION ALL
SELECT
    o.source, o.object, n."#line", n."#offset", s.outcome, s.detail,
    coalesce(r."#raw", CASE WHEN n."#kind" = 0 THEN n."#raw" END), CAST(n."time" AS DATE), n."time"
FROM ingest_settled s
JOIN ingest_spool n ON n."#object" = s."#object" AND n."#line" = s."#line"
JOIN ingest_object o ON o.number = n."#object"
LEFT JOIN ingest_raw r ON r."#object" = n."#object" AND r."#line" = n."#line"
WHERE s.outcome <> 'skipped'
{{- end}}
