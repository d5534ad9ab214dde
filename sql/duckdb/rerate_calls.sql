-- The calls of a period that a replay priced anew, by the prices of one draft, and
-- what they were before.
SELECT
    {{range .Columns}}{{if eq .Name "credits"}}{{ident $.Credits}} AS credits{{else if eq .Name "held"}}{{ident $.Held}} AS held{{else}}{{ident .Name}}{{end}}, {{end}}_posted_before, _credits_before
FROM calls_here
