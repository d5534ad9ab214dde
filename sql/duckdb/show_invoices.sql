-- The invoices that a period's close issued, as `close` lists them.
SELECT number, kind, account, currency, subtotal, tax, total, paid, amount_due, issued_at, due_at
FROM invoices
WHERE period = $1 AND kind = 'invoice'
ORDER BY number
