-- The calls of a period and those taken back, each with the run that brought
-- it. Files at its ends have calls of others, too.
CREATE OR REPLACE TEMP VIEW period_calls AS
SELECT source, account, event_id, "time", object, line, CAST("#run" AS BIGINT) AS run, false AS voided
FROM period_usage
UNION ALL
SELECT source, account, event_id, "time", object, line, read_by, true
FROM period_voided
WHERE NOT void_pending
