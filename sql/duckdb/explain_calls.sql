-- The calls of an id ($1), of a source ($2) and account ($3) where those are not
-- empty, from $4 to $5: those that count, and those that were taken back, by time.
-- Dimensions and quantities come as one list of texts.
SELECT
    source, account, project, key, operation, "time", object, line, CAST("#run" AS BIGINT) AS read_by,
    CAST(NULL AS VARCHAR) AS void_reason, false AS void_pending, CAST(NULL AS BIGINT) AS void_run,
    [{{range $i, $c := .}}{{if $i}}, {{end}}CAST({{ident $c.Name}} AS VARCHAR){{end}}] AS dynamic
FROM explain_usage
WHERE event_id = $1 AND ($2 = '' OR source = $2) AND ($3 = '' OR account = $3) AND "time" >= $4 AND "time" < $5
UNION ALL
SELECT
    source, account, project, key, operation, "time", object, line, read_by, void_reason, void_pending, void_run,
    [{{range $i, $c := .}}{{if $i}}, {{end}}CAST({{ident $c.Name}} AS VARCHAR){{end}}]
FROM explain_voided
WHERE event_id = $1 AND ($2 = '' OR source = $2) AND ($3 = '' OR account = $3) AND "time" >= $4 AND "time" < $5
ORDER BY source, account, "time", void_run NULLS FIRST
