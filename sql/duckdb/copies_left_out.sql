-- The rows of a file of usage or rated without the copies in it.
SELECT * FROM settling
ANTI JOIN copies USING (source, account, event_id, "time", object, line)
ORDER BY account, "time", source, event_id
