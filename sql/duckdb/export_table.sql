-- The rows of a live table as `export` writes them, in the order of its files: of one
-- account and of a half-open span of time, where these are asked for.
SELECT *
FROM exported
WHERE true
{{- if .Account}} AND account = ?{{end}}
{{- if .Timed}} AND time >= ? AND time < ?{{end}}
