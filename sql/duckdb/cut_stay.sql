-- The rows of a rated file that stay in the period being closed: the priced ones.
SELECT * FROM splitting WHERE held IS NULL
ORDER BY account, time, source, event_id
