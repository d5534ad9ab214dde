-- The calls to rate, as the view that portable/rate.sql reads: each with the
-- instant it posts at. Usage that came after its period was closed posts at the
-- start of the open period, and is late; a replay takes it home, and keeps what
-- each call was before.
{{- if .Replay}}
CREATE OR REPLACE TEMP VIEW usage_replayed AS
SELECT * FROM (
  SELECT
    {{range .Fixed}}{{ident .}}, {{end}}
    {{if .Rerate}}CASE WHEN time >= {{.Home}} THEN time ELSE usage_batch.posted_at END{{else}}time{{end}} AS posted_at,
    {{if .Rerate}}time < {{.Home}} AND usage_batch.late{{else}}false{{end}} AS late,
{{- range .Dynamic}}
    {{ident .}},
{{- end}}
    {{if .Rerate}}usage_batch.posted_at{{else}}CAST(NULL AS TIMESTAMP){{end}} AS _posted_before,
    {{if .Rerate}}credits{{else}}CAST(NULL AS DECIMAL(18,6)){{end}} AS _credits_before
  FROM usage_batch
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
