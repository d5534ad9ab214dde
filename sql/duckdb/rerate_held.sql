-- The calls of a replayed file that are held, but for those that stand in the open
-- period already: they post at its first instant ($1), late (SPEC section 14, 30).
SELECT * EXCLUDE (_posted_before, _credits_before) REPLACE (CAST($1 AS TIMESTAMP) AS posted_at, true AS late)
FROM splitting AS s
WHERE held IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM still_held AS h
    WHERE h.source = s.source AND h.account = s.account AND h.event_id = s.event_id AND h."time" = s."time"
)
ORDER BY account, time, source, event_id
