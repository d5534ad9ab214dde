-- The calls of a replay with what a draft of prices makes of them beside.
SELECT {{range .Columns}}{{ident .}}, {{end}}credits AS {{ident .Draft.Credits}}, held AS {{ident .Draft.Held}}
FROM (
WITH usage_posted AS NOT MATERIALIZED (
{{.Source}}
)
SELECT * FROM (
{{.Draft.Select}}
)
)
