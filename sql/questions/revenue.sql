-- What did we earn this month, from what, and how did the deferred revenue move?
-- source: the kind of balance that was paid for; overage, fee (of plans without credits) and other (one-off charges),
-- which are earned at once; and the total of the currency.
-- deferred_before: paid for and not earned yet at the month's start. added: what was paid for the month's balances, and
-- charged at once. rolled: what went from allowances to rollovers; its total is 0.
-- recognised: earned by use or at once. breakage: earned by expiry and voids. deferred: not earned yet at the month's
-- end: deferred_before + added + rolled − recognised − breakage. A month that is not closed has no rows.
WITH
closed AS (
  SELECT period FROM periods WHERE state = 'closed' AND period = $period
),
moves AS (
  SELECT
    b.currency, b.kind AS source, 0 AS deferred_before,
    sum(CASE WHEN b.granted > 0 AND b.kind <> 'rollover' THEN b.price ELSE 0 END) AS added,
    sum(b.recognised) AS recognised, sum(b.breakage) AS breakage, sum(b.deferred) AS deferred
  FROM balances AS b JOIN closed ON closed.period = b.period
  WHERE b.period = $period
  GROUP BY b.currency, b.kind
  UNION ALL
  SELECT b.currency, b.kind, sum(b.deferred), 0, 0, 0, 0
  FROM balances AS b
  WHERE b.period = strftime(CAST($period || '-01' AS DATE) - INTERVAL 1 MONTH, '%Y-%m') AND EXISTS (SELECT 1 FROM closed)
  GROUP BY b.currency, b.kind
  UNION ALL
  SELECT currency, kind, 0, sum(amount), sum(amount), 0, 0
  FROM revenue
  WHERE period = $period AND kind IN ('overage', 'fee', 'other')
  GROUP BY currency, kind
)
SELECT
  currency, COALESCE(source, 'total') AS source,
  sum(deferred_before) AS deferred_before, sum(added) AS added,
  sum(deferred) - sum(deferred_before) - sum(added) + sum(recognised) + sum(breakage) AS rolled,
  sum(recognised) AS recognised, sum(breakage) AS breakage, sum(deferred) AS deferred
FROM moves
GROUP BY GROUPING SETS ((currency, source), (currency))
HAVING sum(deferred_before) <> 0 OR sum(added) <> 0 OR sum(deferred) <> 0 OR sum(recognised) <> 0 OR source IS NULL
ORDER BY currency, GROUPING(source), source
