-- What the documents of the month charge for, by kind of line and currency.
SELECT l.kind, l.currency, count(*) AS lines, count(DISTINCT l.account) AS accounts, sum(l.amount) AS amount
FROM invoice_lines AS l JOIN invoices AS i ON i.number = l.number AND i.period = l.period
WHERE l.period >= $period AND COALESCE(i.corrects_period, i.period) = $period
GROUP BY l.kind, l.currency
ORDER BY l.currency, CASE l.kind WHEN 'fee' THEN 1 WHEN 'pack' THEN 2 WHEN 'topup' THEN 3 WHEN 'charge' THEN 4 WHEN 'overage' THEN 5 ELSE 6 END, l.kind
