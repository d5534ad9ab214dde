-- Account events as they were when documents were issued: known_events tells, for each file, the first and the last of
-- the runs that issued any at which the file was live, a blank between them. An event may stand in several files, of
-- different runs: a re-rate writes all of them anew.
CREATE OR REPLACE TEMP VIEW party_events AS
SELECT * EXCLUDE (live), CAST(split_part(live, ' ', 1) AS BIGINT) AS first_run, CAST(split_part(live, ' ', 2) AS BIGINT) AS last_run
FROM known_events
