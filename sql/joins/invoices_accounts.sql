-- Documents with the customer's name and plan.
SELECT i.number, i.kind, i.account, a.name, a.plan, i.total, i.currency, i.period
FROM invoices AS i
JOIN accounts AS a ON a.account = i.account
ORDER BY i.number
