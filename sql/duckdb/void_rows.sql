-- The rows of the table voided of one UTC day ($1): what for ($2) and by which run
-- ($3).
SELECT
    {{range .Fixed}}{{ident .Name}}, {{end}}read_by,
    CAST($2 AS VARCHAR) AS void_reason, "#pending" AS void_pending, CAST($3 AS BIGINT) AS void_run
    {{- range .Dynamic}}, {{ident .Name}}{{end}}
FROM voiding
WHERE strftime("time", '%Y-%m-%d') = $1
ORDER BY account, "time", source, event_id
