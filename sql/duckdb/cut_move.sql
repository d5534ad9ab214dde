-- The rows of a rated file that a close leaves behind: what is held posts at the
-- first instant of the next period, late (SPEC section 14, 26).
SELECT * REPLACE (CAST($1 AS TIMESTAMP) AS posted_at, true AS late)
FROM splitting WHERE held IS NOT NULL
ORDER BY account, time, source, event_id
