-- What a change of prices does to each operation, the largest difference first;
-- every row says how many operations there are before the limit.
SELECT
    operation, CAST(sum(calls) AS BIGINT), CAST(sum(changed) AS BIGINT),
    CAST(sum(credits_before) AS VARCHAR), CAST(sum(credits_after) AS VARCHAR), count(*) OVER ()
FROM price_changes
GROUP BY operation
ORDER BY abs(sum(credits_after) - sum(credits_before)) DESC, operation
LIMIT $1
