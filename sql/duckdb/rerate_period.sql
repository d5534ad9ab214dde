-- All calls of a replayed period.
SELECT {{range $i, $c := .Columns}}{{if $i}}, {{end}}{{ident $c.Name}}{{end}} FROM calls_that_stand
UNION ALL
SELECT {{range $i, $c := .Columns}}{{if $i}}, {{end}}{{if eq $c.Name "credits"}}{{ident $.Credits}}{{else if eq $c.Name "held"}}{{ident $.Held}}{{else}}{{ident $c.Name}}{{end}}{{end}} FROM calls_here
