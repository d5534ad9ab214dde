-- What an account's buckets hold together in a period, and what of it no bucket paid
-- for.
SELECT
    CAST(coalesce((SELECT sum(remaining) FROM balances WHERE account = $1 AND period = $2), 0) AS DECIMAL(38,6)) AS remaining,
    CAST(coalesce(sum(credits) FILTER (entry = 'overage'), 0) AS DECIMAL(38,6)) AS overage,
    CAST(coalesce(sum(credits) FILTER (entry = 'denied'), 0) AS DECIMAL(38,6)) AS denied
FROM ledger
WHERE account = $1 AND period = $2
