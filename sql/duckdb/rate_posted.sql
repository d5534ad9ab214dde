-- The calls to rate, as the view that portable/rate.sql reads: each with the
-- instant it posts at. Usage that came after its period was closed posts at the
-- start of the open period, and is late; a replay takes it home, and keeps what
-- each call was before.
{{- define "posts"}}{{if .Later}}CASE WHEN posts_from > time THEN posts_from ELSE time END{{else}}time{{end}}{{end}}
{{- define "later"}}{{if .Later}}posts_from > time AND posts_from IS NOT NULL{{else}}false{{end}}{{end}}
{{- if .Replay}}
CREATE OR REPLACE TEMP VIEW usage_replayed AS
SELECT * FROM (
  SELECT
    {{range .Fixed}}{{ident .}}, {{end}}
    {{if .Rerate}}CASE WHEN time >= {{.Home}} THEN {{template "posts" .}} ELSE usage_batch.posted_at END{{else}}{{template "posts" .}}{{end}} AS posted_at,
    {{if .Rerate}}CASE WHEN time >= {{.Home}} THEN {{template "later" .}} ELSE usage_batch.late END{{else}}{{template "later" .}}{{end}} AS late,
{{- range .Dynamic}}
    {{ident .}},
{{- end}}
    {{if .Rerate}}usage_batch.posted_at{{else}}CAST(NULL AS TIMESTAMP){{end}} AS _posted_before,
    {{if .Rerate}}credits{{else}}CAST(NULL AS DECIMAL(18,6)){{end}} AS _credits_before
  FROM usage_batch
{{- if .Later}}
  LEFT JOIN opened_later USING (account)
{{- end}}
)
WHERE posted_at >= {{.Start}} AND posted_at < {{.End}}
{{- else}}
CREATE OR REPLACE TEMP VIEW usage_posted AS
SELECT
  {{range .Fixed}}{{ident .}}, {{end}}
  {{if .Rerate}}posted_at, late{{else}}CASE WHEN time < {{.OpenStart}} THEN {{.OpenStart}} ELSE time END AS posted_at,
  time < {{.OpenStart}} AS late{{end}}
{{- range .Dynamic}},
  {{ident .}}
{{- end}}
FROM usage_batch
{{- if not .Rerate}}
WHERE {{if .Open}}time < {{.End}}{{else}}time >= {{.Start}} AND time < {{.End}}{{end}}
{{- end}}
{{- end}}
