-- The account's buckets in an invoice's period, by the balances of its close.
SELECT p.doc, b.bucket_id, b.kind, b.starts_at, b.expires_at, b.opening, b.granted, b.burned, b.expired, b.voided,
  b.rolled_out, b.remaining
FROM picked_documents AS p
JOIN balances AS b ON b.account = p.account AND b.period = p.period
WHERE p.kind = 'invoice'
ORDER BY p.doc, b.starts_at, b.bucket_id
