-- What each bucket was granted over its life; a balances row names the flows of
-- its own period only.
SELECT bucket_id, sum(granted) AS granted
FROM closed_balances
WHERE granted > 0
GROUP BY bucket_id
