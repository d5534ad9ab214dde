-- The lines of a month's invoice, of the notes that correct that month, and of the notes issued in it: as far as sixty,
-- and the others in one row a currency. The price is the one that the document shows: of a single unit it is the amount,
-- of a note where the price, rounded to the currency's digits, is the amount or its negative.
WITH lines AS (
  SELECT
    l.*, i.issued_at, i.kind = 'invoice' AS invoiced,
    CASE
      WHEN l.currency IN ('BIF', 'BYR', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 0.5
      WHEN l.currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 0.0005
      WHEN l.currency IN ('CLF', 'UYW') THEN 0.00005
      ELSE 0.005
    END AS half
  FROM invoice_lines AS l
  JOIN invoices AS i ON i.number = l.number
  WHERE i.account = $account AND l.account = $account AND (i.period = $period OR i.corrects_period = $period)
),
ordered AS (
  SELECT row_number() OVER (ORDER BY issued_at, number, line) AS place, * FROM lines
),
shown AS (
  SELECT
    place, number, line, coalesce(description, item) AS what, quantity,
    CASE
      WHEN invoiced AND quantity = 1 THEN amount
      WHEN NOT invoiced AND abs(quantity) = 1 AND abs(unit_price) >= abs(amount) - half AND abs(unit_price) < abs(amount) + half
        THEN CASE WHEN unit_price < 0 THEN -abs(amount) ELSE abs(amount) END
      ELSE unit_price
    END AS unit_price,
    amount, currency, cause
  FROM ordered WHERE place <= 60
  UNION ALL
  SELECT CAST(61 AS BIGINT), 'and ' || CAST(count(*) AS VARCHAR) || ' more', NULL, NULL, NULL, NULL, sum(amount), currency, NULL
  FROM ordered WHERE place > 60 GROUP BY currency
)
SELECT
  number AS document, CAST(line AS INTEGER) AS line, what, CAST(quantity AS DECIMAL(38,6)) AS quantity, CAST(unit_price AS DECIMAL(38,12)) AS unit_price,
  CAST(amount AS DECIMAL(38,4)) AS amount, currency, cause AS reason
FROM shown
ORDER BY place, currency
