-- All events of an account ($1), in the order they are applied.
SELECT event_id, type, "at", posted_at, held, payload
FROM explain_account_events
WHERE account = $1
ORDER BY posted_at, type <> 'account.opened', "at", event_id
