-- The account events after a close: those that are still held post again at the
-- next period's first instant (SPEC section 14, 36), $1. What waits for a later
-- instant stays.
SELECT * REPLACE (
    CASE WHEN held IS NOT NULL AND posted_at < $1 THEN CAST($1 AS TIMESTAMP) ELSE posted_at END AS posted_at
)
FROM judged_events
ORDER BY account, posted_at, "at", event_id
