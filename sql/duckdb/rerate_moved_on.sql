-- The calls that a replayed period ({{.Start}} to {{.End}}) leaves behind beside those
-- that it holds itself: usage from before the replay that closes have moved on, and
-- calls of earlier periods that are held still or are released in a later one. So they
-- count in held_calls as closes would have counted them (SPEC section 14, 26).
SELECT {{range $i, $c := .Columns}}{{if $i}}, {{end}}{{ident $c.Name}}{{end}} FROM left_files AS l
WHERE "time" < {{.Home}} AND EXISTS (
  SELECT 1 FROM left_usage AS u WHERE u.source = l.source AND u.account = l.account AND u.event_id = l.event_id AND u."time" = l."time"
)
UNION ALL
SELECT {{range $i, $c := .Columns}}{{if $i}}, {{end}}{{if eq $c.Name "held"}}{{ident $.Held}}{{else if eq $c.Name "credits"}}{{ident $.Credits}}{{else}}{{ident $c.Name}}{{end}}{{end}}
FROM calls_elsewhere
WHERE "time" >= {{.Home}} AND "time" < {{.End}}
  AND (posted_at >= {{.End}} OR {{ident .Held}} IS NOT NULL AND posted_at < {{.Start}})
