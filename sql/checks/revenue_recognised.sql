-- Revenue is what balances recognised, as use and as breakage, and overage is its lines (SPEC section 7, Revenue).
SELECT account, kind, sum(amount) AS difference
FROM (
  SELECT account, kind, amount FROM revenue WHERE kind IN ('use', 'breakage', 'overage')
  UNION ALL
  SELECT account, 'use', -recognised FROM balances
  UNION ALL
  SELECT account, 'breakage', -breakage FROM balances
  UNION ALL
  SELECT account, kind, -amount FROM invoice_lines WHERE kind = 'overage'
)
GROUP BY account, kind
HAVING sum(amount) <> 0
