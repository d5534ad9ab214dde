-- The buckets of an account in a period, in the order in which they pay.
SELECT
    bucket_id, kind, priority, starts_at, expires_at, opening, granted, burned, expired, voided, rolled_out, remaining,
    price, recognised, breakage, deferred, currency
FROM balances
WHERE account = $1 AND period = $2
ORDER BY priority, expires_at NULLS LAST, starts_at, bucket_id
