-- The calls that earlier runs have: those that count, and those taken back, whose ids
-- stay taken.
CREATE OR REPLACE TEMP VIEW known_usage AS
SELECT * FROM live_usage
UNION ALL
SELECT {{range $i, $c := .Columns}}{{if $i}}, {{end}}{{ident $c.Name}}{{end}}
FROM voided_usage
WHERE NOT void_pending
