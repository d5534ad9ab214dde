-- Of the calls looked for, as in void_found, those that were taken back before.
CREATE OR REPLACE TEMP TABLE void_known AS
SELECT source, account, event_id, "time", object, line, void_reason, void_pending, void_run
FROM void_before
WHERE {{if .Object}}object{{else}}event_id{{end}} = $1
    AND ($2 = '' OR source = $2) AND ($3 = '' OR account = $3) AND "time" >= $4 AND "time" < $5
