-- The first rows that one relation has and another has not, or not as often.
SELECT CAST(t AS VARCHAR)
FROM (
  SELECT {{range $i, $c := .Columns}}{{if $i}}, {{end}}{{ident $c}}{{end}} FROM {{ident .Of}}
  EXCEPT ALL
  SELECT {{range $i, $c := .Columns}}{{if $i}}, {{end}}{{ident $c}}{{end}} FROM {{ident .Without}}
) AS t
ORDER BY 1
LIMIT {{.Limit}}
