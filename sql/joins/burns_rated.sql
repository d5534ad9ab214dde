-- What was called, and who paid for it: the burns of a call add up to its credits.
SELECT b.account, r.operation, r.event_id, b.kind, b.bucket_id, b.credits AS paid, r.credits AS cost, b.period
FROM burns AS b
JOIN rated AS r
  ON r.source = b.source AND r.account = b.account AND r.event_id = b.event_id AND r.posted_at = b.posted_at AND r.period = b.period
ORDER BY b.account, b.posted_at, b.source, b.event_id, b.kind, b.bucket_id
