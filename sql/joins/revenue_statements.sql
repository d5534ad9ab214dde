-- What each month recognised of an account, beside what its usage was worth.
SELECT r.account, r.item, r.kind, r.amount, s.used, s.value, r.currency, r.period
FROM revenue AS r
LEFT JOIN (SELECT account, period, sum(credits) AS used, sum(value) AS value FROM statements GROUP BY account, period) AS s
  ON s.account = r.account AND s.period = r.period
ORDER BY r.period, r.account, r.item, r.kind
