-- The period that `balance` shows: the one asked for ($2), or the newest in which
-- the account has a bucket; and what all its buckets hold together.
SELECT max(period) AS period, sum(remaining) FILTER (period = newest) AS usable
FROM (
    SELECT period, remaining, max(period) OVER () AS newest
    FROM balances
    WHERE account = $1 AND ($2 = '' OR period = $2)
)
