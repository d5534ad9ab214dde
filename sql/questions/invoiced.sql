-- What did we invoice for this month, by kind of line and currency, with tax, and what is still due?
-- line: fee, pack, topup, charge, overage, tax; then their total, what of it was paid already, and what is due.
-- documents: how many invoices and notes have such a line; of due, how many are not settled.
-- invoiced: on the month's invoices. corrected: on credit and debit notes for the month, whenever they were issued.
-- amount: both together.
WITH
documents AS (
  SELECT number, kind, currency, total, paid, amount_due FROM invoices WHERE COALESCE(corrects_period, period) = $period
),
entries AS (
  SELECT
    l.currency, l.kind AS line,
    CASE l.kind WHEN 'fee' THEN 1 WHEN 'pack' THEN 2 WHEN 'topup' THEN 3 WHEN 'charge' THEN 4 WHEN 'overage' THEN 5 ELSE 6 END AS place,
    l.number, d.kind = 'invoice' AS is_invoice, l.amount
  FROM invoice_lines AS l JOIN documents AS d ON d.number = l.number
  UNION ALL
  SELECT currency, 'total', 7, number, kind = 'invoice', total FROM documents
  UNION ALL
  SELECT currency, 'paid', 8, number, kind = 'invoice', paid FROM documents WHERE paid <> 0
  UNION ALL
  SELECT currency, 'due', 9, number, kind = 'invoice', amount_due FROM documents WHERE amount_due <> 0
)
SELECT
  currency, line, count(DISTINCT number) AS documents,
  sum(CASE WHEN is_invoice THEN amount ELSE 0 END) AS invoiced,
  sum(CASE WHEN is_invoice THEN 0 ELSE amount END) AS corrected,
  sum(amount) AS amount
FROM entries
GROUP BY currency, place, line
ORDER BY currency, place
