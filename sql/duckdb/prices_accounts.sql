-- The accounts that a change of prices makes pay {{if .Less}}less{{else}}more{{end}}, the largest difference
-- first; every row says how many there are before the limit.
WITH found AS (
    SELECT
        account, CAST(sum(calls) AS BIGINT) AS calls, CAST(sum(changed) AS BIGINT) AS changed,
        sum(credits_before) AS before, sum(credits_after) AS "after"
    FROM price_changes
    GROUP BY account
    HAVING sum(credits_after) {{if .Less}}<{{else}}>{{end}} sum(credits_before)
)
SELECT
    account, calls, changed, CAST(before AS VARCHAR), CAST("after" AS VARCHAR), (SELECT count(*) FROM found) AS "of"
FROM found
ORDER BY abs("after" - before) DESC, account
LIMIT $1
