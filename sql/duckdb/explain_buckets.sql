-- Every bucket that an account ($1) has had: what it ever held, and what was paid
-- for it.
SELECT
    bucket_id, any_value(kind) AS kind, min(starts_at) AS starts_at, min(expires_at) AS expires_at,
    CAST(sum(granted) AS VARCHAR) AS granted, CAST(coalesce(arg_max(price, period), 0) AS VARCHAR) AS price,
    coalesce(any_value(currency), '') AS currency
FROM explain_balances
WHERE account = $1
GROUP BY bucket_id
ORDER BY min(starts_at), bucket_id
