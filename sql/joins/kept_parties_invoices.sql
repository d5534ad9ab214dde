-- Issued documents of customers who were forgotten since: under the name in the row, and as they were issued.
SELECT i.number, i.account AS pseudonym, k.account AS issued_to, i.total, i.currency, i.period
FROM kept_parties AS k
JOIN invoices AS i ON i.number = k.number
ORDER BY i.number
