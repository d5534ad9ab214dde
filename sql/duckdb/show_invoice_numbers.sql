-- The documents of a period ($1), by number.
SELECT number FROM invoices WHERE period = $1 ORDER BY number
