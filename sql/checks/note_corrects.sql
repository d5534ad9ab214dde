-- A note names the account's invoice of the period that it corrects, or none if there was none; an invoice names nothing
-- (SPEC sections 8 and 11). Amounts of credit notes are not positive, those of debit notes not negative.
SELECT d.number, d.kind, d.account, d.corrects, d.corrects_period, d.total
FROM all_documents AS d
LEFT JOIN (SELECT number, account, of_period FROM all_documents WHERE kind = 'invoice') AS i
  ON i.account = d.account AND i.of_period = d.corrects_period
WHERE
  (d.kind = 'invoice' AND (d.corrects IS NOT NULL OR d.corrects_period IS NOT NULL))
  OR (d.kind <> 'invoice' AND (d.corrects_period IS NULL OR d.corrects_period >= d.in_period OR d.corrects IS DISTINCT FROM i.number))
  OR (d.kind = 'credit_note' AND d.total > 0) OR (d.kind = 'debit_note' AND d.total < 0)
