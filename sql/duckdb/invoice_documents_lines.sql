-- Their lines.
SELECT p.doc, l.line, l.kind, l.item, l.description, l.quantity, l.unit_price, l.amount, l.tax_rate, l."from", l."to", l.cause
FROM picked_documents AS p
JOIN invoice_lines AS l ON l.number = p.number AND l.period = p.period
ORDER BY p.doc, l.line
