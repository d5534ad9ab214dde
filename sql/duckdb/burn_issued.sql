-- The invoice and note numbers that are taken.
SELECT number FROM closed_invoices
