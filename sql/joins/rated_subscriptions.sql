-- Calls by the plan that governed the account when they burned: of accounts without one it is NULL.
SELECT r.account, r.event_id, r.posted_at, r.credits, s.plan, s.plan_version, r.period
FROM rated AS r
LEFT JOIN subscriptions AS s
  ON s.account = r.account AND s.from_at <= r.posted_at AND (r.posted_at < s.to_at OR s.to_at IS NULL)
ORDER BY r.account, r."time", r.source, r.event_id
