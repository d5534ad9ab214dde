-- Voided calls of closed months that still count: the next re-rate takes them out.
SELECT v.account, v.event_id, v.void_reason, v.void_run, r.credits, r.period
FROM voided AS v
JOIN rated AS r ON r.source = v.source AND r.account = v.account AND r.event_id = v.event_id AND r."time" = v."time"
WHERE v.void_pending
ORDER BY v.account, v."time", v.source, v.event_id
