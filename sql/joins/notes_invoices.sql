-- Notes with the invoice that they correct.
SELECT n.number, n.kind, n.account, n.total, n.corrects_period, i.number AS invoice, i.total AS invoiced
FROM invoices AS n
JOIN invoices AS i ON i.number = n.corrects
ORDER BY n.number
