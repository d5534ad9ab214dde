-- The accounts with most credits of overage, and with most denied: credits from `ledger`,
-- what the overage is charged at, without tax, from the lines of the invoice and of the
-- notes that correct it; a currency that was wholly taken back is left out, and two have no
-- sum. `of` is how many accounts have either.
WITH
unpaid AS (
  SELECT
    account, sum(CASE WHEN entry = 'overage' THEN credits ELSE 0 END) AS overage, sum(CASE WHEN entry = 'denied' THEN credits ELSE 0 END) AS denied
  FROM ledger WHERE period = $period AND entry IN ('overage', 'denied') GROUP BY account
),
amounts AS (
  SELECT l.account, l.currency, sum(l.amount) AS amount
  FROM invoice_lines AS l JOIN invoices AS i ON i.number = l.number AND i.period = l.period
  WHERE l.kind = 'overage' AND l.period >= $period AND COALESCE(i.corrects_period, i.period) = $period
  GROUP BY l.account, l.currency
),
charged AS (
  SELECT account, sum(amount) AS amount, COALESCE(max(currency) FILTER (WHERE amount <> 0), max(currency)) AS currency
  FROM amounts GROUP BY account HAVING count(*) FILTER (WHERE amount <> 0) <= 1
),
ranked AS (
  SELECT
    *, row_number() OVER (ORDER BY overage DESC, denied DESC, account) AS by_overage, row_number() OVER (ORDER BY denied DESC, overage DESC, account) AS by_denied
  FROM unpaid
)
SELECT
  r.account, a.name, CAST(r.overage AS DECIMAL(38, 6)) AS overage, CAST(c.amount AS DECIMAL(38, 4)) AS amount, c.currency, CAST(r.denied AS DECIMAL(38, 6)) AS denied,
  (SELECT count(*) FROM ranked WHERE by_overage <= 10 AND overage > 0 OR by_denied <= 10 AND denied > 0) AS shown, (SELECT count(*) FROM unpaid) AS "of"
FROM ranked AS r LEFT JOIN charged AS c ON c.account = r.account LEFT JOIN accounts AS a ON a.account = r.account
WHERE by_overage <= 10 AND overage > 0 OR by_denied <= 10 AND denied > 0
ORDER BY r.overage DESC, r.denied DESC, r.account
