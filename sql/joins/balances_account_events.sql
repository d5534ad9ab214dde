-- Which account event made a bucket: the last part of its id, percent-decoded, is the event's.
SELECT b.account, b.bucket_id, e.type, e."at", e.posted_at, b.granted, b.period
FROM balances AS b
JOIN account_events AS e ON e.account = b.account AND e.event_id = url_decode(split_part(b.bucket_id, '/', 3))
WHERE b.kind IN ('pack', 'promotion', 'opened')
ORDER BY b.bucket_id, b.period
