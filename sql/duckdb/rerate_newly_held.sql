-- What a replay holds that counts as things are live: calls of a replayed period, by
-- reason, with one of them.
SELECT held, count(*) AS n, min(concat('call ', event_id, ' of account ', account, ' at ', strftime("time", '%Y-%m-%dT%H:%M:%SZ'))) AS example
FROM replayed_calls
WHERE held IS NOT NULL AND _posted_before < $1
GROUP BY held
ORDER BY held
