-- What the account used in the period. Rows without an operation stand for accounts without usage.
SELECT operation, project, key, calls, late_calls, held_calls, CAST(credits AS VARCHAR), CAST(value AS VARCHAR)
FROM statements
WHERE account = $1 AND period = $2 AND operation IS NOT NULL
ORDER BY operation, project NULLS FIRST, key NULLS FIRST
