-- How each bucket came to what it holds at the month's end.
SELECT l.account, l.bucket_id, l."at", l.entry, l.credits, s.remaining, l.period
FROM ledger AS l
JOIN balances AS s ON s.bucket_id = l.bucket_id AND s.period = l.period
ORDER BY l.account, l.bucket_id, l."at", l.entry
