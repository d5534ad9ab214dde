-- The invoices and notes of a re-rated period ($1 and later) come to what the replay
-- charges, with those about to be issued; and a note is the sum of its lines.
WITH said AS (
  SELECT d.account, coalesce(d.corrects_period, d.period) AS period, d.currency, d.subtotal, d.tax
  FROM sold_documents AS d
  WHERE coalesce(d.corrects_period, d.period) >= $1
  UNION ALL
  SELECT account, corrects_period, currency, subtotal, tax
  FROM new_invoices
  UNION ALL
  SELECT account, period, currency, CASE WHEN kind = 'tax' THEN 0 ELSE -amount END, CASE WHEN kind = 'tax' THEN -amount ELSE 0 END
  FROM replayed_charges
)
SELECT account, period, currency, sum(subtotal) AS subtotal_too_much, sum(tax) AS tax_too_much
FROM said
GROUP BY account, period, currency
HAVING sum(subtotal) <> 0 OR sum(tax) <> 0
UNION ALL
SELECT account, max(number), max(currency), sum(subtotal), sum(tax)
FROM (
  SELECT account, number, currency, subtotal, tax FROM new_invoices
  UNION ALL
  SELECT account, number, currency, CASE WHEN kind = 'tax' THEN 0 ELSE -amount END, CASE WHEN kind = 'tax' THEN -amount ELSE 0 END
  FROM new_invoice_lines
)
GROUP BY account, number
HAVING sum(subtotal) <> 0 OR sum(tax) <> 0
