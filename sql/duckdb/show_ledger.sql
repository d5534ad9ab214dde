-- The newest entries of an account's ledger in a period.
WITH found AS (SELECT * FROM ledger WHERE account = $1 AND period = $2)
SELECT "at", entry, bucket_id, credits, detail, (SELECT count(*) FROM found) AS "of"
FROM found
ORDER BY "at" DESC, entry DESC, bucket_id DESC
LIMIT $3
