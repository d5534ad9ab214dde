-- The account events that say which plan an account is on and in which currency, account
-- by account: everything of those types that posts before an instant.
SELECT account, event_id, type, "at", posted_at, held, payload
FROM account_events
WHERE posted_at < $1
  AND (type IN ('account.opened', 'account.updated', 'overage.set', 'topup.set', 'topup.cleared') OR type LIKE 'subscription.%')
ORDER BY account, posted_at, "at", event_id
