-- The account events that the last apply or close held, as `held` lists them.
SELECT account, "at", event_id, type, posted_at, held AS reason, payload, count(*) OVER () AS "of"
FROM account_events
WHERE held IS NOT NULL
ORDER BY account, "at", event_id
LIMIT $1
