-- The lines of a period's invoices: those of notes that re-rates issued in it are no part of its close.
SELECT * FROM burned_is WHERE number NOT IN (SELECT number FROM documents_is WHERE kind <> 'invoice')
