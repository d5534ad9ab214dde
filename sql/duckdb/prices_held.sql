-- How many of a period's calls each reason holds, before and after a change of
-- prices.
SELECT
    reason,
    CAST(coalesce(sum(calls) FILTER (WHERE NOT new), 0) AS BIGINT),
    CAST(coalesce(sum(calls) FILTER (WHERE new), 0) AS BIGINT)
FROM (
    SELECT held_before AS reason, calls, false AS new FROM price_changes
    UNION ALL
    SELECT held_after, calls, true FROM price_changes
)
WHERE reason IS NOT NULL
GROUP BY reason
ORDER BY reason
