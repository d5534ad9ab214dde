-- The invoices of a period: notes that re-rates issued in it are no part of its close.
SELECT * FROM burned_is WHERE kind = 'invoice'
