-- The calls to be taken back: of one id or one object ($1), of a source ($2) and
-- account ($3) where those are not empty, from $4 to $5; each with the run that
-- brought it. Those that wait for a re-rate are taken back already.
CREATE OR REPLACE TEMP TABLE void_found AS
SELECT * EXCLUDE ("#run"), CAST("#run" AS BIGINT) AS read_by
FROM void_usage
ANTI JOIN void_known USING (source, account, event_id, "time", object, line)
WHERE {{if .Object}}object{{else}}event_id{{end}} = $1
    AND ($2 = '' OR source = $2) AND ($3 = '' OR account = $3) AND "time" >= $4 AND "time" < $5
