-- The rows of a view as `export` writes them, in the order of its columns, for it has none
-- of its own: of one account and of one month, where these are asked for.
SELECT {{range $i, $c := .Columns}}{{if $i}}, {{end}}CAST({{ident $c.Name}} AS {{$c.Type}}) AS {{ident $c.Name}}{{end}}
FROM {{ident .View}}
WHERE true
{{- range .Filters}} AND {{ident .}} = ?{{end}}
ORDER BY ALL
