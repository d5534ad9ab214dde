-- The calls of a replay, which its prices read as usage_posted.
SELECT {{range $i, $name := .Columns}}{{if $i}}, {{end}}{{ident $name}}{{end}} FROM usage_replayed
