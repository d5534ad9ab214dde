-- How many rows of a name mention it in each of some other columns.
SELECT
    {{- range $i, $c := .Columns}}{{if $i}},{{end}}
    count(*) FILTER (WHERE regexp_matches({{ident $c}}, {{literal $.Mention}}))
    {{- end}}
FROM forget_live
WHERE {{ident .Column}} = {{literal .Name}}
