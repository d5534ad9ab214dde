-- The differences summed up by all that a report groups by: its rows grow with drafts,
-- periods, causes and currencies, not with accounts.
SELECT
    draft, period, cause, part, unit,
    CAST(sum(calls) AS BIGINT) AS calls, CAST(sum("before") AS VARCHAR) AS "before", CAST(sum("after") AS VARCHAR) AS "after"
FROM difference_rows
GROUP BY draft, period, cause, part, unit
ORDER BY draft, period, cause, part, unit
