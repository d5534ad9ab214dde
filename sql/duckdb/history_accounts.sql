-- The accounts that have been opened. The currency of one whose events name none is the
-- default, and is said once money was charged in it (SPEC section 14, 37).
SELECT
  o.account, o.name,
  CASE WHEN o.named OR f.account IS NOT NULL THEN o.currency END AS currency,
  o.opened_at, o.plan
FROM opened AS o
LEFT JOIN (
  SELECT account FROM balances WHERE price <> 0
  UNION
  SELECT account FROM invoice_lines WHERE amount <> 0
  UNION
  SELECT account FROM ledger WHERE entry = 'overage'
) AS f ON f.account = o.account
ORDER BY o.account
