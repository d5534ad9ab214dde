-- The picked invoices and notes.
SELECT doc, number, kind, account, currency, subtotal, tax, total, paid, amount_due, issued_at, due_at, corrects,
  corrects_period, period
FROM picked_documents
ORDER BY doc
