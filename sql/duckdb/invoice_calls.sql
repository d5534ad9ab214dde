-- What is burned of the period's calls, in no order: the columns that Go reads of rated's own files where it is told of
-- them.
SELECT event_id, source, account, project, key, operation, time, posted_at, late, credits, held
FROM rated
WHERE held IS NULL
