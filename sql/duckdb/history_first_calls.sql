-- The first priced call of each account that no event has opened: it opens the account
-- where the configuration lets it (SPEC section 14, 35), and only a close keeps that as
-- events.
SELECT account, min(posted_at) AS posted_at
FROM history_calls
WHERE held IS NULL AND account NOT IN (SELECT account FROM account_events WHERE type = 'account.opened' AND posted_at < $1)
GROUP BY account
ORDER BY account
