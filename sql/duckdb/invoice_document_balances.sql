-- The account's buckets in the period.
SELECT bucket_id, kind, starts_at, expires_at, CAST(opening AS VARCHAR), CAST(granted AS VARCHAR), CAST(burned AS VARCHAR),
  CAST(expired AS VARCHAR), CAST(voided AS VARCHAR), CAST(rolled_out AS VARCHAR), CAST(remaining AS VARCHAR)
FROM balances
WHERE account = $1 AND period = $2
ORDER BY starts_at, bucket_id
