-- The documents of the month: its invoices, and the notes that correct it, whenever they
-- were issued. By kind and currency; amount_due is the total less what was paid already.
SELECT
  kind, currency, count(*) AS documents, count(DISTINCT account) AS accounts, sum(subtotal) AS subtotal, sum(tax) AS tax, sum(total) AS total,
  sum(paid) AS paid, sum(amount_due) AS amount_due
FROM invoices WHERE period >= $period AND COALESCE(corrects_period, period) = $period
GROUP BY kind, currency ORDER BY currency, CASE kind WHEN 'invoice' THEN 1 WHEN 'debit_note' THEN 2 ELSE 3 END, kind
