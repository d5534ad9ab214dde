-- What an account is charged before tax is the price of the buckets it was sold, or revenue at once.
SELECT account, sum(amount) AS difference
FROM (
  SELECT account, amount FROM invoice_lines WHERE kind <> 'tax'
  UNION ALL
  SELECT account, -price FROM balances WHERE granted > 0 AND kind IN ('allowance', 'pack', 'topup')
  UNION ALL
  SELECT account, -amount FROM revenue WHERE kind IN ('overage', 'fee', 'other')
)
GROUP BY account
HAVING sum(amount) <> 0
