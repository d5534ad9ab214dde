-- What was called, and who paid for it: the burns of a call add up to its credits. Late
-- calls of one id from several months post at one instant, and their burns do not tell
-- whose they are: they are taken together.
SELECT b.account, r.operation, r.event_id, b.kind, b.bucket_id, b.credits AS paid, r.cost, b.period
FROM burns AS b
JOIN (
  SELECT source, account, event_id, posted_at, period, sum(credits) AS cost, CASE WHEN min(operation) = max(operation) THEN min(operation) END AS operation
  FROM rated WHERE credits > 0
  GROUP BY source, account, event_id, posted_at, period
) AS r ON r.source = b.source AND r.account = b.account AND r.event_id = b.event_id AND r.posted_at = b.posted_at AND r.period = b.period
ORDER BY b.account, b.posted_at, b.source, b.event_id, b.kind, b.bucket_id
