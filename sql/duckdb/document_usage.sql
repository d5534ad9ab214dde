-- What an account used in a period.
SELECT * FROM statements WHERE account = $1 AND period = $2
ORDER BY operation, project NULLS FIRST, key NULLS FIRST
