-- A file of voided calls after a re-rating: those that it took out wait no more.
SELECT
    {{range $i, $c := .}}{{if $i}}, {{end}}{{if eq $c.Name "void_pending"}}v.void_pending AND l.event_id IS NULL AS void_pending{{else}}v.{{ident $c.Name}}{{end}}{{end}}
FROM voided_file AS v
LEFT JOIN leaving AS l
    ON l.source = v.source AND l.account = v.account AND l.event_id = v.event_id AND l."time" = v."time" AND l.object = v.object AND l.line = v.line
ORDER BY v.account, v."time", v.source, v.event_id
