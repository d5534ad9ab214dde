-- Puts rated calls into the order of the table's files, where the files they
-- come from are in none together.
SELECT * FROM (
{{.Select}}
) ORDER BY account, time, source, event_id
