-- What each call's bucket had cost. A bucket has a row in every month in which it was open, so the month joins too.
SELECT b.account, b.event_id, b.credits, s.kind, s.price, s.currency, s.expires_at, b.period
FROM burns AS b
JOIN balances AS s ON s.bucket_id = b.bucket_id AND s.period = b.period
ORDER BY b.account, b.posted_at, b.source, b.event_id, b.bucket_id
