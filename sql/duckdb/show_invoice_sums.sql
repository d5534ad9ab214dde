-- What all of them come to, by currency.
SELECT currency, count(*) AS documents, sum(total) AS total, sum(paid) AS paid, sum(amount_due) AS amount_due
FROM invoices
WHERE ($1 IS NULL OR account = $1) AND ($2 IS NULL OR period = $2)
GROUP BY currency
ORDER BY currency
