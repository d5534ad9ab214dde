-- The invoices and notes that documents are made of, numbered in the order they are made: those of a period ($1) and of
-- an account ($2), each NULL for any, or those in a list of numbers ($3), one a line.
CREATE OR REPLACE TEMP TABLE picked_documents AS
SELECT row_number() OVER (ORDER BY number) AS doc, *
FROM invoices
WHERE ($1 IS NULL OR period = $1)
  AND ($2 IS NULL OR account = $2)
  AND ($3 IS NULL OR number IN (SELECT unnest(string_split($3, chr(10)))))
