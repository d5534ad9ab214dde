-- The lines of all documents of an account ($1).
SELECT
    number, line, kind, item, description, CAST(quantity AS VARCHAR) AS quantity, CAST(unit_price AS VARCHAR) AS unit_price,
    CAST(amount AS VARCHAR) AS amount, CAST(tax_rate AS VARCHAR) AS tax_rate, currency, "from", "to", cause
FROM explain_invoice_lines
WHERE account = $1
ORDER BY number, line
