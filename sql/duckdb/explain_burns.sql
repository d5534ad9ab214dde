-- Who paid for a call: of a source ($1), account ($2), id ($3) and posting instant
-- ($4), buckets first, by kind and id.
SELECT kind, bucket_id, CAST(sum(credits) AS VARCHAR) AS credits
FROM explain_burns
WHERE source = $1 AND account = $2 AND event_id = $3 AND posted_at = $4
GROUP BY kind, bucket_id
ORDER BY bucket_id IS NULL, kind, bucket_id
