-- The buckets that the period starts with: those of the period before that still hold credits or deferred money, with
-- what they were granted over their life, which may be several periods back. Those that expired at the period's very
-- start come along with nothing in them: the low-balance alert needs to know from what the balance fell.
SELECT
  b.account, b.bucket_id, b.kind, b.priority, b.starts_at, b.expires_at, b.remaining, g.granted, b.price, b.deferred,
  b.currency, CASE WHEN b.expires_at = $1 THEN b.expired ELSE CAST(0 AS DECIMAL(38, 6)) END AS expired_at_start
FROM prior_balances AS b
LEFT JOIN granted AS g ON g.bucket_id = b.bucket_id
WHERE b.remaining > 0 OR b.deferred <> 0 OR (b.expires_at = $1 AND b.expired > 0)
ORDER BY b.account, b.bucket_id
