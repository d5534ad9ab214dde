-- Credits over all periods by what holds or paid them, as `demo` tells them: each
-- bucket's flows once, and what no bucket paid for from the ledger.
WITH paid AS (
    SELECT
        kind,
        count(DISTINCT bucket_id) AS buckets,
        sum(granted) AS granted, sum(burned) AS burned, sum(expired) AS expired, sum(voided) AS voided, sum(rolled_out) AS rolled_out,
        sum(remaining) FILTER (period = (SELECT max(period) FROM balances)) AS remaining,
        min(priority) AS place
    FROM balances
    GROUP BY kind
),

unpaid AS (
    SELECT entry AS kind, sum(credits) AS burned
    FROM ledger
    WHERE entry IN ('overage', 'denied')
    GROUP BY entry
)

SELECT kind, buckets, granted, burned, expired, voided, rolled_out, coalesce(remaining, 0) AS remaining
FROM (
    SELECT * FROM paid
    UNION ALL BY NAME
    SELECT kind, burned, 1000 AS place FROM unpaid
)
ORDER BY place, kind
