-- What is left in buckets and will expire, as of the newest balances: soonest first by days_left, whole days rounded
-- down. deferred is what was paid for it and is not revenue yet: at expiry it becomes breakage, less what use
-- recognises until then. Where rolls_over is true the bucket's credits move on at that instant, as far as the plan's cap
-- allows, and their share of deferred with them; only the rest expires.
SELECT
  b.account, b.bucket_id, b.kind, b.expires_at,
  (epoch_us(b.expires_at) - epoch_us(a.balances_at)) // 86400000000 AS days_left,
  b.remaining, b.deferred, b.currency,
  COALESCE(s.rolls_over AND s.to_at = b.expires_at AND b.priority = 40 AND b.kind IN ('allowance', 'opened'), false) AS rolls_over
FROM balances AS b
JOIN as_of AS a ON a.balances_period = b.period
LEFT JOIN standings AS s ON s.account = b.account
WHERE b.remaining > 0 AND b.expires_at > a.balances_at
