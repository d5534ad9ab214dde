-- One UTC day's new usage, where it is too much to be sorted in memory: DuckDB spills.
SELECT
    n.event_id, o.source, n.account, n.project, n.key, n.operation, n."time", o.object, n."#line" AS line
    {{- range .Columns}}, n.{{ident .Name}}{{end}}
FROM ingest_day_batches n
JOIN ingest_name o ON o.number = n."#object"
{{- if .Settled}}
WHERE NOT EXISTS (SELECT 1 FROM ingest_settled s WHERE s."#object" = n."#object" AND s."#line" = n."#line")
{{- end}}
ORDER BY n.account, n."time", o.source, n.event_id
