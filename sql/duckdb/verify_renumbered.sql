-- Invoices of a period, or their lines, as they come out of burning it down again, under the numbers that they have:
-- numbers went in the order of accounts, and a forget has changed names since. The check document_order knows the names
-- of then. An account has one invoice a period.
SELECT s.* REPLACE (coalesce(i.number, s.number) AS number)
FROM burned_should AS s
LEFT JOIN (SELECT account, number FROM documents_is WHERE kind = 'invoice') AS i ON i.account = s.account
