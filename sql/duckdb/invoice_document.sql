-- One invoice or note by its number.
SELECT number, kind, account, currency, CAST(subtotal AS VARCHAR), CAST(tax AS VARCHAR), CAST(total AS VARCHAR),
  CAST(paid AS VARCHAR), CAST(amount_due AS VARCHAR), issued_at, due_at, corrects, corrects_period, period
FROM invoices
WHERE number = $1
