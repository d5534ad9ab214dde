-- Its lines.
SELECT line, kind, item, description, CAST(quantity AS VARCHAR), CAST(unit_price AS VARCHAR), CAST(amount AS VARCHAR),
  CAST(tax_rate AS VARCHAR), "from", "to", cause
FROM invoice_lines
WHERE number = $1 AND period = $2
ORDER BY line
