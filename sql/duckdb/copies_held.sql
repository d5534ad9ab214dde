-- How many rows of a rated file are held once the copies have left it.
SELECT count(*), count(*) FILTER (WHERE held = 'account_not_opened')
FROM settling
ANTI JOIN copies USING (source, account, event_id, "time", object, line)
WHERE held IS NOT NULL
