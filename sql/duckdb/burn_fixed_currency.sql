-- The accounts whose currency earlier periods have fixed: by a bucket with a
-- price, an invoice line, or a credit of overage (SPEC section 14, 37).
SELECT account FROM closed_balances WHERE price <> 0
UNION
SELECT account FROM closed_lines WHERE amount <> 0
UNION
SELECT account FROM closed_ledger WHERE entry = 'overage'
