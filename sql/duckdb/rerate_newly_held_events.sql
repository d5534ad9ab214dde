-- What a replay holds that counts as things are live: account events posted before the
-- open period ($1), by reason, with one of them.
SELECT n.held, count(*) AS n, min(concat(n.type, ' ', n.event_id, ' of account ', n.account, ' at ', strftime(n."at", '%Y-%m-%dT%H:%M:%SZ'))) AS example
FROM replayed_events AS n
JOIN live_events AS o ON o.account = n.account AND o.event_id = n.event_id
WHERE n.held IS NOT NULL AND o.held IS NULL AND o.posted_at < $1
GROUP BY n.held
ORDER BY n.held
