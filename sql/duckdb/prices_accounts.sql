-- The accounts that a change of prices makes pay {{if .Less}}less{{else}}more{{end}}, the largest difference
-- first; every row says how many there are before the limit.
SELECT
    account, CAST(sum(calls) AS BIGINT), CAST(sum(changed) AS BIGINT),
    CAST(sum(credits_before) AS VARCHAR), CAST(sum(credits_after) AS VARCHAR), count(*) OVER ()
FROM price_changes
GROUP BY account
HAVING sum(credits_after) {{if .Less}}<{{else}}>{{end}} sum(credits_before)
ORDER BY abs(sum(credits_after) - sum(credits_before)) DESC, account
LIMIT $1
