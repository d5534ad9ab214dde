-- What did this account use, what was it charged, and what has it left, month by month?
-- calls, credits: used. overage, denied: of these credits, those that no balance paid.
-- charged: its invoice for the month and the notes that correct it, with tax; paid: of that, paid packs; due: the rest.
-- NULL in an open month, or where it was charged in two currencies. remaining: credits on all balances at the month's
-- end, or as far as the last apply has looked.
WITH
entries AS (
  SELECT period, calls, credits, 0 AS overage, 0 AS denied, NULL AS charged, NULL AS paid, NULL AS due, NULL AS currency, 0 AS remaining
  FROM usage_by_operation
  WHERE account = $account
  UNION ALL
  SELECT period, 0, 0, CASE WHEN entry = 'overage' THEN credits ELSE 0 END, CASE WHEN entry = 'denied' THEN credits ELSE 0 END, NULL, NULL, NULL, NULL, 0
  FROM ledger
  WHERE account = $account AND entry IN ('overage', 'denied')
  UNION ALL
  SELECT COALESCE(corrects_period, period), 0, 0, 0, 0, total, paid, amount_due, currency, 0
  FROM invoices
  WHERE account = $account
  UNION ALL
  SELECT period, 0, 0, 0, 0, NULL, NULL, NULL, NULL, remaining
  FROM balances
  WHERE account = $account
)
SELECT
  period, CAST(sum(calls) AS BIGINT) AS calls, sum(credits) AS credits, sum(overage) AS overage, sum(denied) AS denied,
  CASE WHEN min(currency) = max(currency) THEN sum(charged) END AS charged,
  CASE WHEN min(currency) = max(currency) THEN sum(paid) END AS paid,
  CASE WHEN min(currency) = max(currency) THEN sum(due) END AS due,
  CASE WHEN min(currency) = max(currency) THEN min(currency) END AS currency,
  sum(remaining) AS remaining
FROM entries
GROUP BY period
ORDER BY period
