-- Invoices and notes with the run that issued them: issued_invoices tells period and run of each file, a blank between
-- them. A file of invoices has those of one close or re-rate; one that a forget wrote anew says by its origin of which.
CREATE OR REPLACE TEMP VIEW invoices AS
SELECT * EXCLUDE (issued), CAST(split_part(issued, ' ', 2) AS BIGINT) AS run, split_part(issued, ' ', 1) AS period
FROM issued_invoices
