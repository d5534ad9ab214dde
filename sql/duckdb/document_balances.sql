-- An account's buckets in a period, in the order in which they pay.
SELECT * FROM balances WHERE account = $1 AND period = $2
ORDER BY priority, expires_at NULLS LAST, starts_at, bucket_id
