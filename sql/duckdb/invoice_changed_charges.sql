-- The lines of the notes to be issued, note by note (SPEC section 14, 31): by account,
-- then period. There is none where charges and tax both add up to nothing.
WITH notes AS (
  SELECT
    account, period, currency,
    coalesce(sum("after" - "before") FILTER (kind <> 'tax'), 0) AS subtotal, coalesce(sum("after" - "before") FILTER (kind = 'tax'), 0) AS tax
  FROM changed_charges
  GROUP BY account, period, currency
)
SELECT
  n.account, n.period, n.currency, CAST(n.subtotal AS DECIMAL(38,4)) AS subtotal, CAST(n.tax AS DECIMAL(38,4)) AS tax, i.number AS corrects,
  l.kind, l.item, l.description, l.quantity, l.unit_price, CAST(l."after" - l."before" AS DECIMAL(38,4)) AS amount, l.tax_rate,
  l."from", l."to", l.cause
FROM notes AS n
JOIN changed_charges AS l ON l.account = n.account AND l.period = n.period AND l.currency = n.currency
LEFT JOIN sold_documents AS i ON i.kind = 'invoice' AND i.account = n.account AND i.period = n.period
WHERE n.subtotal <> 0 OR n.tax <> 0
ORDER BY
  n.account, n.period, n.currency, list_position(['fee', 'pack', 'topup', 'charge', 'overage', 'tax'], l.kind), l."from", l."to", l.item, l.description
