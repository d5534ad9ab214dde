-- Calls with the state of the month they are billed in. Months after the open one have no row in periods yet.
SELECT r.account, r.event_id, r.credits, r.period, p.state, p.close_run
FROM rated AS r
JOIN periods AS p ON p.period = r.period
ORDER BY r.period, r.account, r."time", r.source, r.event_id
