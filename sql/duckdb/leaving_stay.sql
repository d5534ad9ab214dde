-- The rows of a file of usage or rated that stay.
SELECT * FROM file_left
ANTI JOIN leaving USING (source, account, event_id, "time", object, line)
ORDER BY account, "time", source, event_id
