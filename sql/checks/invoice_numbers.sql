-- A number is never used again (SPEC section 7).
SELECT number, count(*) AS uses
FROM (SELECT number FROM invoices UNION ALL SELECT number FROM issued)
WHERE number IN (SELECT number FROM invoices)
GROUP BY number
HAVING count(*) > 1
