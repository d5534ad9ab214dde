-- The calls that the replay of a period left behind: those that a later period of the replay has released, and those
-- that stand in the period that was open, where closes left them from before the replay, or the replay itself: all
-- others of its time went home.
SELECT {{range $i, $c := .Columns}}{{if $i}}, {{end}}{{ident $c.Name}}{{end}}
FROM later_rated
WHERE "time" >= TIMESTAMP {{literal .Home}} AND "time" < TIMESTAMP {{literal .End}}
UNION ALL
SELECT {{range $i, $c := .Columns}}{{if $i}}, {{end}}{{ident $c.Name}}{{end}}
FROM left_rated
WHERE
  "time" < TIMESTAMP {{literal .Home}} AND "#left" >= {{literal .Period}}
  OR "time" >= TIMESTAMP {{literal .Home}} AND "time" < TIMESTAMP {{literal .End}}
