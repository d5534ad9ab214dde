-- What an account has used in a period that is not closed, counted as its statement will
-- count it; what that is worth is known then.
SELECT
    operation, project, key,
    count(*) FILTER (held IS NULL) AS calls,
    CAST(sum(credits) AS DECIMAL(38,6)) AS credits,
    count(*) FILTER (held IS NULL AND late) AS late_calls,
    count(*) FILTER (held IS NOT NULL) AS held_calls,
    CAST(NULL AS DECIMAL(38,4)) AS value,
    CAST(NULL AS VARCHAR) AS currency
FROM exported
WHERE account = $1
GROUP BY operation, project, key
ORDER BY operation, project NULLS FIRST, key NULLS FIRST
