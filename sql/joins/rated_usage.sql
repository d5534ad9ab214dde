-- When each call was read, and what it costs: a call of usage has one row in rated once `rate` has run.
SELECT u.account, u.event_id, u.day AS read_under, r.period AS billed_in, r.late, r.credits
FROM rated AS r
JOIN usage AS u ON u.source = r.source AND u.account = r.account AND u.event_id = r.event_id AND u."time" = r."time"
ORDER BY u.account, u."time", u.source, u.event_id
