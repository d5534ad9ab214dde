-- The newest entries of an account's ledger in a period.
SELECT "at", entry, bucket_id, credits, detail, count(*) OVER () AS "of"
FROM ledger
WHERE account = $1 AND period = $2
ORDER BY "at" DESC, entry DESC, bucket_id DESC
LIMIT $3
