-- Statements of a period without held usage: the rows as they were made. An account without calls is listed if it had
-- a bucket.
SELECT account, operation, project, key, calls, credits, late_calls, CAST(0 AS BIGINT) AS held_calls, value, currency
FROM invoice_rows
WHERE operation IS NOT NULL OR listed
