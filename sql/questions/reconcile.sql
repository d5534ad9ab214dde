-- Is every credit that was rated this month accounted for: burned, overage or denied, and on a statement?
-- account: NULL is the sum over all of them. rated: the credits of its calls. burned: paid by its balances.
-- difference: rated − burned − overage − denied: 0 in a closed month; in an open one what came since the last apply.
-- stated: the credits on its statement, equal to rated; NULL while the month is open.
WITH
credits_of AS (
  SELECT account, sum(credits) AS rated, 0 AS burned, 0 AS overage, 0 AS denied, NULL AS stated
  FROM rated
  WHERE period = $period
  GROUP BY account
  UNION ALL
  SELECT
    account, 0, sum(CASE WHEN entry = 'burn' THEN credits ELSE 0 END), sum(CASE WHEN entry = 'overage' THEN credits ELSE 0 END),
    sum(CASE WHEN entry = 'denied' THEN credits ELSE 0 END), NULL
  FROM ledger
  WHERE period = $period AND entry IN ('burn', 'overage', 'denied')
  GROUP BY account
  UNION ALL
  SELECT account, 0, 0, 0, 0, sum(credits)
  FROM statements
  WHERE period = $period AND operation IS NOT NULL
  GROUP BY account
)
SELECT
  account, sum(rated) AS rated, sum(burned) AS burned, sum(overage) AS overage, sum(denied) AS denied,
  sum(rated) - sum(burned) - sum(overage) - sum(denied) AS difference, sum(stated) AS stated
FROM credits_of
GROUP BY GROUPING SETS ((account), ())
ORDER BY GROUPING(account) DESC, CASE WHEN difference = 0 THEN 1 ELSE 0 END, account
