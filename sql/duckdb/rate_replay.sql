-- The calls of a replay, priced: all columns, or those that a dry one asks for.
WITH usage_posted AS NOT MATERIALIZED (
{{.Source}}
)
SELECT {{range $i, $name := .Columns}}{{if $i}}, {{end}}{{ident $name}}{{else}}*{{end}}
FROM (
{{.Select}}
)
