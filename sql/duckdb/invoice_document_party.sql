-- What the account said about itself before the period's end, in the order it counts: account.opened goes first at one
-- instant (SPEC section 6).
SELECT payload
FROM account_events
WHERE account = $1 AND posted_at < $2 AND held IS NULL AND type IN ('account.opened', 'account.updated')
ORDER BY posted_at, type <> 'account.opened', "at", event_id
