-- An account's events that post before an instant and are not held, in the order they
-- are applied: what `balance` tells its state from.
SELECT event_id, type, "at", posted_at, payload
FROM account_log
WHERE account = $1 AND posted_at < $2 AND held IS NULL
ORDER BY posted_at, type <> 'account.opened', "at", event_id
