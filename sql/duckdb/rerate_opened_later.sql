-- The accounts that were opened in a replayed period after the first: calls of theirs
-- from before it are held until then, and post at its start (SPEC section 14, 26).
CREATE OR REPLACE TABLE opened_later AS
SELECT o.account, p."start" AS posts_from
FROM opened_accounts AS o
JOIN periods_after AS p ON o.opened_at >= p."start" AND o.opened_at < p."end"
