-- The calls that a run took back, among those of a lake made anew, each with the run that brought it.
CREATE OR REPLACE TEMP TABLE void_found AS
SELECT u.* EXCLUDE ("#run"), CAST("#run" AS BIGINT) AS read_by
FROM void_usage AS u
SEMI JOIN void_list USING (source, account, event_id, "time", object, line)
