-- What a change of prices does to each operation, the largest difference first;
-- every row says how many operations there are before the limit.
WITH found AS (
    SELECT
        operation, CAST(sum(calls) AS BIGINT) AS calls, CAST(sum(changed) AS BIGINT) AS changed,
        sum(credits_before) AS before, sum(credits_after) AS "after"
    FROM price_changes
    GROUP BY operation
)
SELECT
    operation, calls, changed, CAST(before AS VARCHAR), CAST("after" AS VARCHAR), (SELECT count(*) FROM found) AS "of"
FROM found
ORDER BY abs("after" - before) DESC, operation
LIMIT $1
