-- The calls of replayed periods that were voided after their close, with the period
-- that they stand in and what they cost.
CREATE OR REPLACE TEMP TABLE voided_calls AS
SELECT v.source, v.account, v.event_id, v."time", v.object, v.line, v.read_by, v.void_reason, r.period, r.credits
FROM pending_voids AS v
JOIN voided_rated AS r USING (source, account, event_id, "time", object, line)
WHERE v.void_pending
