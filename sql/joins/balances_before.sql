-- Where a bucket's opening comes from: what it held at the end of the month before.
SELECT b.account, b.bucket_id, p.period AS month_before, p.remaining, b.period, b.opening
FROM balances AS b
JOIN balances AS p
  ON p.bucket_id = b.bucket_id
  AND p.period = strftime(CAST(b.period || '-01' AS DATE) - INTERVAL 1 MONTH, '%Y-%m')
ORDER BY b.bucket_id, b.period
