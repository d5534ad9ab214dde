-- An account's invoices and notes up to a month, and the notes that correct them since: the newest twenty-four, and the
-- older ones in one row a currency. due is what was to be paid when they were issued.
WITH issued AS (
  SELECT i.*, (SELECT string_agg(n.number, ', ' ORDER BY n.issued_at, n.number) FROM invoices AS n WHERE n.account = $account AND n.corrects = i.number) AS corrected_by
  FROM invoices AS i
  WHERE i.account = $account AND coalesce(i.corrects_period, i.period) <= $period
),
ordered AS (
  SELECT row_number() OVER (ORDER BY issued_at DESC, number DESC) AS place, * FROM issued
),
shown AS (
  SELECT
    place, number, CASE kind WHEN 'invoice' THEN 'invoice' WHEN 'credit_note' THEN 'credit note' ELSE 'debit note' END AS kind,
    coalesce(corrects_period, period) AS month, CAST({{.Local "issued_at"}} AS DATE) AS issued, CAST({{.LocalAtAnyTime "due_at"}} AS DATE) AS due_on,
    subtotal, tax, total, paid, amount_due, currency,
    CASE WHEN kind <> 'invoice' THEN 'corrects ' || coalesce(corrects, 'no invoice') ELSE 'corrected by ' || corrected_by END AS corrections
  FROM ordered WHERE place <= 24
  UNION ALL
  SELECT
    CAST(25 AS BIGINT), 'and ' || CAST(count(*) AS VARCHAR) || ' older', NULL, NULL, NULL, NULL,
    sum(subtotal), sum(tax), sum(total), sum(paid), sum(amount_due), currency, NULL
  FROM ordered WHERE place > 24 GROUP BY currency
)
SELECT
  number, kind, month, issued, CAST(subtotal AS DECIMAL(38,4)) AS subtotal, CAST(tax AS DECIMAL(38,4)) AS tax, CAST(total AS DECIMAL(38,4)) AS total,
  CAST(paid AS DECIMAL(38,4)) AS paid, CAST(amount_due AS DECIMAL(38,4)) AS due, due_on, currency, corrections
FROM shown
ORDER BY place, currency
