-- How many rows of a rated file are held among those that stay.
SELECT count(*), count(*) FILTER (WHERE held = 'account_not_opened')
FROM file_left
ANTI JOIN leaving USING (source, account, event_id, "time", object, line)
WHERE held IS NOT NULL
