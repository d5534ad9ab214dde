-- The newest invoices and notes of an account ($1) and a period ($2), each NULL for any; at most $3 of them. `of` is how
-- many there are.
WITH found AS (SELECT * FROM invoices WHERE ($1 IS NULL OR account = $1) AND ($2 IS NULL OR period = $2))
SELECT number, kind, account, period, currency, subtotal, tax, total, paid, amount_due, issued_at, due_at, corrects,
  corrects_period, (SELECT count(*) FROM found) AS "of"
FROM found
ORDER BY issued_at DESC, number DESC
LIMIT $3
