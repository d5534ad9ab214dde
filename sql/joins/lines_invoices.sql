-- The lines of each document with what it comes to.
SELECT i.number, i.kind AS document, i.account, l.line, l.kind, l.description, l.amount, i.total, i.currency, i.period
FROM invoice_lines AS l
JOIN invoices AS i ON i.number = l.number
ORDER BY i.number, l.line
