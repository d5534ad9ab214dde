-- The invoices and notes that a period's close issued, as `close` and `invoice`
-- list them.
SELECT number, kind, account, currency, subtotal, tax, total, paid, amount_due, issued_at, due_at
FROM invoices
WHERE period = $1
ORDER BY number
