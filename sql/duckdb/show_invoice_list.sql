-- The newest invoices and notes of an account ($1) and a period ($2), each NULL for any; at most $3 of them. `of` is how
-- many there are.
SELECT number, kind, account, period, currency, subtotal, tax, total, paid, amount_due, issued_at, due_at, corrects,
  corrects_period, count(*) OVER () AS "of"
FROM invoices
WHERE ($1 IS NULL OR account = $1) AND ($2 IS NULL OR period = $2)
ORDER BY issued_at DESC, number DESC
LIMIT $3
