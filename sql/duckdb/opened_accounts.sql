-- Since when each account is opened: calls are held for accounts that no
-- `account.opened` posted before the period's end has opened (SPEC section 14, 17).
SELECT account, min(posted_at) AS opened_at
FROM account_events
WHERE type = 'account.opened'
GROUP BY account
