-- The lines of one document.
SELECT * FROM invoice_lines WHERE number = $1 ORDER BY line
