-- Invoices and notes with the run that issued them: issued_invoices tells period and run of each file, a blank between
-- them. No file of invoices is ever written anew, so the run of the file is that of the close or re-rate.
CREATE OR REPLACE TEMP VIEW invoices AS
SELECT * EXCLUDE (issued), CAST(split_part(issued, ' ', 2) AS BIGINT) AS run, split_part(issued, ' ', 1) AS period
FROM issued_invoices
