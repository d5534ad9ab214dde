-- What finance books for each closed month and currency: revenue by kind, what was
-- invoiced with the notes that correct it, and what is deferred at the month's end. deferred_before + deferred_added =
-- use + breakage + deferred: deferred_added is what was paid for the month's buckets.
WITH
closed AS (
  SELECT b.* FROM balances AS b JOIN periods AS p ON p.period = b.period WHERE p.state = 'closed' AND b.currency IS NOT NULL
),
earned AS (
  SELECT
    period, currency,
    sum(CASE WHEN kind = 'use' THEN amount ELSE 0 END) AS use,
    sum(CASE WHEN kind = 'breakage' THEN amount ELSE 0 END) AS breakage,
    sum(CASE WHEN kind = 'overage' THEN amount ELSE 0 END) AS overage,
    sum(CASE WHEN kind = 'fee' THEN amount ELSE 0 END) AS fee,
    sum(CASE WHEN kind = 'other' THEN amount ELSE 0 END) AS other
  FROM revenue GROUP BY period, currency
),
stock AS (
  SELECT period, currency, sum(deferred) AS deferred FROM closed GROUP BY period, currency
),
billed AS (
  SELECT COALESCE(corrects_period, period) AS period, currency, sum(subtotal) AS invoiced
  FROM invoices GROUP BY COALESCE(corrects_period, period), currency
),
months AS (
  SELECT period, currency FROM earned UNION SELECT period, currency FROM stock UNION SELECT period, currency FROM billed
),
sums AS (
  SELECT
    m.period, m.currency,
    COALESCE(use, 0) AS use, COALESCE(breakage, 0) AS breakage, COALESCE(overage, 0) AS overage, COALESCE(fee, 0) AS fee, COALESCE(other, 0) AS other,
    COALESCE(invoiced, 0) AS invoiced, COALESCE(deferred, 0) AS deferred
  FROM months AS m
  LEFT JOIN earned AS e ON e.period = m.period AND e.currency = m.currency
  LEFT JOIN stock AS s ON s.period = m.period AND s.currency = m.currency
  LEFT JOIN billed AS i ON i.period = m.period AND i.currency = m.currency
)
SELECT
  currency, use, breakage, overage, fee, other, use + breakage + overage + fee + other AS revenue, invoiced,
  COALESCE(lag(deferred) OVER (PARTITION BY currency ORDER BY period), 0) AS deferred_before,
  use + breakage + deferred - COALESCE(lag(deferred) OVER (PARTITION BY currency ORDER BY period), 0) AS deferred_added,
  deferred, period
FROM sums
