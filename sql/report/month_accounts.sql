-- The accounts that used most credits, and what each was charged for the month, without
-- tax, with the notes that correct it: NULL until the month is closed, and without an
-- invoice. `of` is how many accounts used or were charged anything.
SELECT
  t.rank, t.account, a.name, t.calls, t.credits, t.charges, t.currency,
  least((SELECT count(*) FROM top_accounts WHERE period = $period), 20) AS shown,
  (SELECT count(*) FROM top_accounts WHERE period = $period) AS "of"
FROM top_accounts AS t LEFT JOIN accounts AS a ON a.account = t.account
WHERE t.period = $period AND t.rank <= 20 ORDER BY t.rank
