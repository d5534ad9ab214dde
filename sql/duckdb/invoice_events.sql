-- Account events that count in the period, account by account: everything posted before its end.
SELECT account, event_id, type, "at", posted_at, held, payload
FROM account_events
WHERE posted_at < $1
ORDER BY account, posted_at, "at", event_id
