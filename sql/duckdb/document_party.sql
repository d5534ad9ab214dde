-- The account events that say who an account is, as they stood at a period's end
-- ($2), in the order in which they count.
SELECT payload FROM account_events
WHERE account = $1 AND type IN ('account.opened', 'account.updated') AND held IS NULL AND posted_at < $2
ORDER BY posted_at, "at", type <> 'account.opened', event_id
