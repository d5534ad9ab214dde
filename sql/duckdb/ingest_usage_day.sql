-- One UTC day's new usage.
SELECT
    n.event_id, o.source, n.account, n.project, n.key, n.operation, n."time", o.object, n."#line" AS line
    {{- range .Columns}}, n.{{ident .Name}}{{end}}
FROM ingest_spool n
JOIN ingest_name o ON o.number = n."#object"
WHERE n."#kind" = 0
    AND n."time" >= CAST({{literal .From}} AS TIMESTAMP) AND n."time" < CAST({{literal .To}} AS TIMESTAMP)
    {{- if .Settled}}
    AND NOT EXISTS (SELECT 1 FROM ingest_settled s WHERE s."#object" = n."#object" AND s."#line" = n."#line")
    {{- end}}
ORDER BY n.account, n."time", o.source, n.event_id
