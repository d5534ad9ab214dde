-- The rated rows of the calls of a span of time, a UTC day.
CREATE OR REPLACE TEMP VIEW rated_of_day AS
SELECT * FROM rated_files WHERE "time" >= TIMESTAMP {{literal (index . 0)}} AND "time" < TIMESTAMP {{literal (index . 1)}}
