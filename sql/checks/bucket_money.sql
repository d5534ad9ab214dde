-- What was paid for a bucket is used, lost, still deferred or rolled on, to the last cent (SPEC section 7, Revenue): no
-- bucket loses money unless it rolled, and what rolled is what the rollover buckets begin with.
WITH flows AS (
  SELECT
    b.account, b.bucket_id, b.rolled_out,
    CASE WHEN p.bucket_id IS NULL THEN b.price ELSE p.deferred END - b.recognised - b.breakage - b.deferred AS rolled,
    CASE WHEN b.kind = 'rollover' AND b.granted > 0 THEN b.price ELSE CAST(0 AS DECIMAL(38, 4)) END AS taken
  FROM balances AS b
  LEFT JOIN prior_balances AS p ON p.bucket_id = b.bucket_id
)
SELECT account, bucket_id, rolled, CAST(0 AS DECIMAL(38, 4)) AS taken
FROM flows
WHERE rolled < 0 OR (rolled <> 0 AND rolled_out = 0)
UNION ALL
SELECT account, NULL, sum(rolled), sum(taken)
FROM flows
GROUP BY account
HAVING sum(rolled) <> sum(taken)
