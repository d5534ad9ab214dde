-- The calls to rate, as the view that portable/rate.sql reads: each with the
-- instant it posts at. Usage that came after its period was closed posts at the
-- start of the open period, and is late.
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
