-- Records whose event an earlier run has: skipped where the same object has it on
-- the same line (the object has grown), else duplicate or conflict. A duplicate that
-- is read again with another mapping stays one.
CREATE OR REPLACE TEMP TABLE ingest_known AS
WITH copies AS (
    SELECT
        n."#object", n."#line", n."#offset", n."time", k.object AS known_object, k.line AS known_line,
        k.object = o.object AND k.line = n."#line" AS in_place,
        {{if and .Reread .KnownRejects -}}
        o.reread AND EXISTS (
            SELECT 1 FROM known_rejects r
            WHERE r.source = o.source AND r.object = o.object AND r.line = n."#line" AND r.reason = 'duplicate')
        {{- else}}false{{end}} AS duplicate,
        n.project IS NOT DISTINCT FROM k.project AND n.key IS NOT DISTINCT FROM k.key
            AND n.operation = k.operation AND n."time" = k."time"
            {{- range .Recorded}}
            AND n.{{ident .Name}} IS NOT DISTINCT FROM k.{{ident .Name}}
            {{- end}}
            {{- range .New}}
            AND n.{{ident .Name}} IS NULL
            {{- end}} AS equal
    FROM ingest_usage_batches n
    JOIN ingest_object o ON o.number = n."#object"
    JOIN ingest_period p ON p.period = n."#period"
    JOIN known_usage k
        ON k.event_id = n.event_id AND k.account = n.account AND k.source = o.source
        AND k."time" >= p.starts_at AND k."time" < p.ends_at
    WHERE o.kept
)
SELECT
    "#object", "#line", min("#offset") AS "#offset", min("time") AS "time",
    CASE
        WHEN bool_or(equal AND in_place) THEN 'skipped'
        WHEN bool_or(equal OR duplicate) THEN 'duplicate'
        ELSE 'conflict'
    END AS outcome,
    'the event is that of ' || min(known_object || ' line ' || known_line) AS detail
FROM copies
{{- if .Reread}}
WHERE NOT EXISTS (
    SELECT 1 FROM ingest_standing s WHERE s."#object" = copies."#object" AND s."#line" = copies."#line")
{{- end}}
GROUP BY "#object", "#line"
