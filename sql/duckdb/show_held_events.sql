-- The account events that the last apply or close held, as `held` lists them.
WITH found AS (SELECT * FROM account_events WHERE held IS NOT NULL)
SELECT account, "at", event_id, type, posted_at, held AS reason, payload, (SELECT count(*) FROM found) AS "of"
FROM found
ORDER BY account, "at", event_id
LIMIT $1
