-- Held usage that a close has moved on and that a replay leaves there, for it is from
-- before its first instant.
SELECT {{range $i, $c := .Columns}}{{if $i}}, {{end}}{{ident $c.Name}}{{end}} FROM left_files WHERE "time" < {{.Home}}
