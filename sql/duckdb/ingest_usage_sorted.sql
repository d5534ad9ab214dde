-- One UTC day's new usage, as it comes: filtered, named and sorted already.
SELECT
    event_id, source, account, project, key, operation, "time", object, "#line" AS line
    {{- range .}}, {{ident .Name}}{{end}}
FROM ingest_sorted_batches
