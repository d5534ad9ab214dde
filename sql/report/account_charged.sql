-- What an account was charged for a month: its invoice and the notes that correct it, together.
SELECT
  count(*) AS documents, CAST(sum(subtotal) AS DECIMAL(38,4)) AS before_tax, CAST(sum(tax) AS DECIMAL(38,4)) AS tax, CAST(sum(total) AS DECIMAL(38,4)) AS total,
  CAST(sum(paid) AS DECIMAL(38,4)) AS paid, CAST(sum(amount_due) AS DECIMAL(38,4)) AS due, currency
FROM invoices
WHERE account = $account AND coalesce(corrects_period, period) = $period
GROUP BY currency
ORDER BY currency
