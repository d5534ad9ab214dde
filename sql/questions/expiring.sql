-- Which balances expire in the next 30 days, and how much of what was paid for them is not earned yet?
-- days_left: whole days from the instant that the newest balances stand at. remaining: the credits that are left.
-- deferred: of the money paid for them, what is not revenue yet: breakage at the expiry, less what is used until then.
-- rolls_over: true where a cycle ends and the plan lets its allowance roll over, as far as its cap allows.
SELECT e.account, a.name, e.kind, e.expires_at, e.days_left, e.remaining, e.deferred, e.currency, e.rolls_over, e.bucket_id
FROM balances_expiring AS e
LEFT JOIN accounts AS a ON a.account = e.account
WHERE e.expires_at <= (SELECT balances_at FROM as_of) + INTERVAL 30 DAY
ORDER BY e.expires_at, e.account, e.bucket_id
