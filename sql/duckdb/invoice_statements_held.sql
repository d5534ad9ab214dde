-- Statements of a period with held usage, which counts in held_calls and in nothing else (SPEC section 14, 26). Held
-- usage may be of an account that was never opened: its currency is the default.
WITH made AS MATERIALIZED (
  SELECT * FROM invoice_rows
), held AS MATERIALIZED (
  SELECT account, operation, project, key, count(*) AS held_calls
  FROM (
    SELECT account, operation, project, key FROM rated WHERE held IS NOT NULL
    UNION ALL
    SELECT account, operation, project, key FROM left_behind
  )
  GROUP BY account, operation, project, key
), currencies AS (
  SELECT account, max(currency) AS currency FROM made GROUP BY account
)
SELECT
  coalesce(m.account, h.account) AS account,
  coalesce(m.operation, h.operation) AS operation,
  coalesce(m.project, h.project) AS project,
  coalesce(m.key, h.key) AS key,
  coalesce(m.calls, 0) AS calls,
  coalesce(m.credits, 0) AS credits,
  coalesce(m.late_calls, 0) AS late_calls,
  coalesce(h.held_calls, 0) AS held_calls,
  coalesce(m.value, 0) AS value,
  coalesce(c.currency, $1) AS currency
FROM made AS m
FULL JOIN held AS h
  ON h.account = m.account AND h.operation = m.operation
  AND h.project IS NOT DISTINCT FROM m.project AND h.key IS NOT DISTINCT FROM m.key
LEFT JOIN currencies AS c ON c.account = coalesce(m.account, h.account)
WHERE
  coalesce(m.operation, h.operation) IS NOT NULL
  OR (m.listed AND m.account NOT IN (SELECT account FROM held))
ORDER BY 1, 2 NULLS FIRST, 3 NULLS FIRST, 4 NULLS FIRST
