-- The invoices and notes to make documents of: the one of that number ($1), or
-- all of a period ($2). The other is empty.
SELECT * FROM invoices
WHERE number = $1 OR period = $2
ORDER BY number
