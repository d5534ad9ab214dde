-- What an account used in a closed period: its statement.
SELECT operation, project, key, calls, credits, late_calls, held_calls, value, currency
FROM exported_statements
WHERE account = $1 AND operation IS NOT NULL
ORDER BY operation, project NULLS FIRST, key NULLS FIRST
