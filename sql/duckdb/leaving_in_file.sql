-- How many rows of a file of usage or rated leave.
SELECT count(*) FROM file_left
SEMI JOIN leaving USING (source, account, event_id, "time", object, line)
