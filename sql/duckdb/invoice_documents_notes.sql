-- The notes that correct an invoice ($1), in the order they were issued.
SELECT number, kind, period, issued_at, currency, CAST(subtotal AS VARCHAR), CAST(tax AS VARCHAR), CAST(total AS VARCHAR),
  CAST(amount_due AS VARCHAR)
FROM invoices
WHERE corrects = $1
ORDER BY run, issued_at, number
