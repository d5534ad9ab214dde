-- The first calls that a bucket ($2) of an account ($1) paid for in a period.
SELECT source, event_id, posted_at, CAST(NULL AS VARCHAR) AS operation, CAST(credits AS VARCHAR) AS credits, 'paid from the bucket' AS what
FROM explain_burns
WHERE account = $1 AND bucket_id = $2
ORDER BY posted_at, source, event_id
LIMIT 3
