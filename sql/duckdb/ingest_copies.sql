-- Which of several copies of an event counts: none where an earlier run has it,
-- else the first by object key (objects are numbered in that order) and line, but
-- one that is a call already before all. Only records whose hash a decoder met twice
-- are looked at; that two events share a hash does no harm, for here everything is
-- compared in full.
CREATE OR REPLACE TEMP TABLE ingest_settled AS
WITH candidates AS (
    SELECT
        n."#object", n."#line", n."#offset", o.object, o.source, n.account, n.event_id, n."#period",
        {{if .Reread -}}
        EXISTS (SELECT 1 FROM ingest_standing s WHERE s."#object" = n."#object" AND s."#line" = n."#line")
        {{- else}}false{{end}} AS stands,
        n.project, n.key, n.operation, n."time"
        {{- range .Columns}}, n.{{ident .Name}}{{end}}
    FROM ingest_candidate n
    JOIN ingest_object o ON o.number = n."#object"
    WHERE o.kept
        AND NOT EXISTS (SELECT 1 FROM ingest_known k WHERE k."#object" = n."#object" AND k."#line" = n."#line")
),
ordered AS (
    SELECT *, row_number() OVER (
        PARTITION BY source, account, event_id, "#period" ORDER BY stands DESC, "#object", "#line") AS copy
    FROM candidates
)
SELECT
    n."#object", n."#line", CAST(0 AS INTEGER) AS "#kind", n."#offset", n."time",
    CASE
        WHEN n.project IS NOT DISTINCT FROM w.project AND n.key IS NOT DISTINCT FROM w.key
            AND n.operation = w.operation AND n."time" = w."time"
            {{- range .Columns}}
            AND n.{{ident .Name}} IS NOT DISTINCT FROM w.{{ident .Name}}
            {{- end}}
        THEN 'duplicate'
        ELSE 'conflict'
    END AS outcome,
    'the event is that of ' || w.object || ' line ' || w."#line" AS detail
FROM ordered n
JOIN ordered w USING (source, account, event_id, "#period")
WHERE n.copy > 1 AND w.copy = 1 AND NOT n.stands
UNION ALL
SELECT "#object", "#line", 0, "#offset", "time", outcome, detail FROM ingest_known
{{- if .Reread}}
UNION ALL
SELECT "#object", "#line", 0, "#offset", "time", 'skipped', NULL FROM ingest_standing WHERE "#kind" = 0
{{- end}}
