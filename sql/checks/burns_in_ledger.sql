-- The ledger's burns, overage and denied are those of burns, bucket by bucket; what no bucket paid, account by account.
-- A bucket's id says whose it is, so that burns need no grouping by account.
WITH burned AS (
  SELECT bucket_id AS payer, 'burn' AS entry, sum(credits) AS credits
  FROM burns
  WHERE bucket_id IS NOT NULL AND kind NOT IN ('overage', 'denied')
  GROUP BY bucket_id
  UNION ALL
  SELECT account, kind, sum(credits)
  FROM burns
  WHERE bucket_id IS NULL OR kind IN ('overage', 'denied')
  GROUP BY account, kind
), booked AS (
  SELECT coalesce(bucket_id, account) AS payer, entry, sum(credits) AS credits
  FROM ledger
  WHERE entry IN ('burn', 'overage', 'denied')
  GROUP BY coalesce(bucket_id, account), entry
)
SELECT
  coalesce(b.payer, l.payer) AS payer, coalesce(b.entry, l.entry) AS entry,
  coalesce(b.credits, 0) AS burns, coalesce(l.credits, 0) AS ledger
FROM burned AS b
FULL JOIN booked AS l ON l.payer = b.payer AND l.entry = b.entry
WHERE coalesce(b.credits, 0) <> coalesce(l.credits, 0)
