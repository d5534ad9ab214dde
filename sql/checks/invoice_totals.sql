-- An invoice is the sum of its lines, which count from 1 (SPEC section 7, Invoice lines).
SELECT i.number, i.account, i.subtotal, l.subtotal AS line_subtotal, i.tax, l.tax AS line_tax, i.total, i.paid, i.amount_due
FROM invoices AS i
FULL JOIN (
  SELECT
    number,
    coalesce(sum(amount) FILTER (kind <> 'tax'), 0) AS subtotal,
    coalesce(sum(amount) FILTER (kind = 'tax'), 0) AS tax,
    count(*) AS lines, count(DISTINCT line) AS numbers, min(line) AS first, max(line) AS last
  FROM invoice_lines
  GROUP BY number
) AS l ON l.number = i.number
WHERE
  i.number IS NULL OR l.number IS NULL
  OR i.subtotal <> l.subtotal OR i.tax <> l.tax OR i.total <> i.subtotal + i.tax OR i.amount_due <> i.total - i.paid
  OR l.first <> 1 OR l.last <> l.lines OR l.numbers <> l.lines
