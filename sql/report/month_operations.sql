-- The operations that used most credits. Of a closed month from `statements`, else from
-- `rated`. `of` is how many operations there are.
WITH used AS (
  SELECT
    operation, count(*) FILTER (WHERE calls > 0) AS accounts, CAST(sum(calls) AS BIGINT) AS calls, sum(credits) AS credits,
    CAST(sum(late_calls) AS BIGINT) AS late_calls, CAST(sum(held_calls) AS BIGINT) AS held_calls
  FROM usage_by_operation WHERE period = $period GROUP BY operation
)
SELECT
  operation, accounts, calls, CAST(credits AS DECIMAL(38, 6)) AS credits, late_calls, held_calls,
  least((SELECT count(*) FROM used), 20) AS shown, (SELECT count(*) FROM used) AS "of"
FROM used ORDER BY credits DESC, calls DESC, operation LIMIT 20
