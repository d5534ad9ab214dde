-- Which accounts run out of credits before their renewal, at the pace of the last 7 days, and what happens then?
-- Or within 90 days, where no renewal comes.
-- usable: the credits that their balances can pay now; at a month's end, with the allowance that comes at that instant.
-- used_7_days: what they used in the 7 days before the newest balances, overage and denied calls too, but no late ones.
-- days_left, runs_out_on: how long the usable credits last at that pace, in whole days, and the day they are gone.
-- renews_at: when the next allowance comes, NULL if none does.
-- afterwards: what becomes of further calls: top-up (a pack is bought), denied, or overage.
SELECT
  r.account, a.name, a.plan, r.usable, r.used_7_days, r.days_left, r.runs_out_on, r.renews_at,
  CASE WHEN r.topup THEN 'top-up' WHEN r.protection THEN 'denied' ELSE 'overage' END AS afterwards
FROM accounts_running_out AS r
LEFT JOIN accounts AS a ON a.account = r.account
WHERE r.before_renewal AND r.days_left < 90
ORDER BY r.days_left, r.used_7_days DESC, r.account
