-- Opening balances are the closing balances of the period before (SPEC section 7).
SELECT
  coalesce(b.account, p.account) AS account, coalesce(b.bucket_id, p.bucket_id) AS bucket_id,
  p.remaining AS closed_with, b.opening AS opened_with
FROM (SELECT account, bucket_id, remaining FROM prior_balances WHERE remaining <> 0) AS p
FULL JOIN (SELECT account, bucket_id, opening FROM balances WHERE opening <> 0) AS b ON b.bucket_id = p.bucket_id
WHERE coalesce(b.opening, 0) <> coalesce(p.remaining, 0)
