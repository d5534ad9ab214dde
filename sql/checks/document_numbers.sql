-- Numbers are never reused, and an account has one invoice a period (SPEC section 7, Invoice lines).
SELECT number, count(*) AS uses FROM all_documents GROUP BY number HAVING count(*) > 1
UNION ALL
SELECT concat('invoices of ', account, ' for ', of_period), count(*)
FROM all_documents
WHERE kind = 'invoice'
GROUP BY account, of_period
HAVING count(*) > 1
