-- What did this account use, what was it charged, and what has it left, month by month?
-- calls, credits: used. overage, denied: of these credits, those that no balance paid.
-- charged: its invoice for the month and the notes that correct it, with tax; paid: of that, paid packs; due: the rest.
-- NULL in an open month, or where it was charged in two currencies; one that was wholly taken back does not count.
-- remaining: credits on all balances at the month's end, or as far as the last apply has looked; NULL, as overage and
-- denied, in a month that no apply has looked at yet.
WITH
documents AS (
  SELECT COALESCE(corrects_period, period) AS period, currency, sum(total) AS charged, sum(paid) AS paid, sum(amount_due) AS due
  FROM invoices
  WHERE account = $account
  GROUP BY COALESCE(corrects_period, period), currency
),
entries AS (
  SELECT period, calls, credits, 0 AS overage, 0 AS denied, NULL AS charged, NULL AS paid, NULL AS due, NULL AS currency, 0 AS remaining
  FROM usage_by_operation
  WHERE account = $account
  UNION ALL
  SELECT period, 0, 0, CASE WHEN entry = 'overage' THEN credits ELSE 0 END, CASE WHEN entry = 'denied' THEN credits ELSE 0 END, NULL, NULL, NULL, NULL, 0
  FROM ledger
  WHERE account = $account AND entry IN ('overage', 'denied')
  UNION ALL
  SELECT period, 0, 0, 0, 0, charged, paid, due, CASE WHEN charged <> 0 OR paid <> 0 OR due <> 0 THEN currency END, 0
  FROM documents
  UNION ALL
  SELECT period, 0, 0, 0, 0, NULL, NULL, NULL, NULL, remaining
  FROM balances
  WHERE account = $account
)
SELECT
  period, CAST(sum(calls) AS BIGINT) AS calls, sum(credits) AS credits,
  CASE WHEN period <= (SELECT balances_period FROM as_of) THEN sum(overage) END AS overage,
  CASE WHEN period <= (SELECT balances_period FROM as_of) THEN sum(denied) END AS denied,
  CASE WHEN count(DISTINCT currency) <= 1 THEN sum(charged) END AS charged,
  CASE WHEN count(DISTINCT currency) <= 1 THEN sum(paid) END AS paid,
  CASE WHEN count(DISTINCT currency) <= 1 THEN sum(due) END AS due,
  CASE WHEN count(DISTINCT currency) <= 1 THEN max(currency) END AS currency,
  CASE WHEN period <= (SELECT balances_period FROM as_of) THEN sum(remaining) END AS remaining
FROM entries
GROUP BY period
ORDER BY period
