-- How did use change against the month before, by operation and model?
-- calls, credits: of this month. calls_before, credits_before: of the month before. change: the difference in credits.
-- model: NULL of operations without one. Calls count in the month they post to; held ones do not count.
WITH
months AS (
  SELECT operation, model, calls, credits, 0 AS calls_before, 0 AS credits_before FROM usage_by_model WHERE period = $period
  UNION ALL
  SELECT operation, model, 0, 0, calls, credits FROM usage_by_model
  WHERE period = strftime(CAST($period || '-01' AS DATE) - INTERVAL 1 MONTH, '%Y-%m')
)
SELECT
  operation, model, CAST(sum(calls) AS BIGINT) AS calls, CAST(sum(calls_before) AS BIGINT) AS calls_before,
  sum(credits) AS credits, sum(credits_before) AS credits_before, sum(credits) - sum(credits_before) AS change
FROM months
GROUP BY operation, model
ORDER BY credits DESC, credits_before DESC, operation, model
