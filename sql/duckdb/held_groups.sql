-- The held calls by reason, version of the price table and operation, the largest
-- groups first: what is to be mended to release each. rule is the one that all of
-- a group matched, if it is one; every row says how many groups there are before
-- the limit.
WITH found AS (
    SELECT
        held, price_table, price_version, operation,
        CASE WHEN min(rule) = max(rule) THEN min(rule) END AS rule,
        count(*) AS calls, count(DISTINCT account) AS accounts, min(account) AS account,
        min(time) AS first, max(time) AS last
    FROM held_rated
    WHERE held IS NOT NULL
    GROUP BY held, price_table, price_version, operation
)
SELECT *, (SELECT count(*) FROM found) AS "of"
FROM found
ORDER BY calls DESC, held, price_table, price_version, operation
LIMIT $1
