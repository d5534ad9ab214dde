-- An account's last twenty calls of a month, the newest first. A call that is being looked at has no price yet.
SELECT
  strftime({{.Local "time"}}, '%Y-%m-%d %H:%M:%S') AS time, operation, project, key,
  {{- if .Has "model"}} model,{{end}}
  CASE WHEN held IS NULL THEN credits END AS credits,
  CASE WHEN held IS NOT NULL THEN 'being looked at' WHEN late THEN 'came late' END AS note
FROM rated
WHERE account = $account AND period = $period
ORDER BY posted_at DESC, rated.time DESC, source, event_id
LIMIT 20
