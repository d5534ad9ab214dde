-- The rows of files that become one, each with the run that brought it, and of
-- rejects the run that read it: of a file that was merged before its own columns say so.
CREATE OR REPLACE TEMP VIEW merged AS
SELECT
    {{range .Columns}}m.{{ident .Name}}, {{end}}
    {{- range $i, $c := .Hidden}}{{if $i}}, {{end}}coalesce(m.{{ident $c.Name}}, f.{{ident $c.Name}}) AS {{ident $c.Name}}{{end}}
FROM merging m
JOIN merged_from f ON f.file = m."#file"
