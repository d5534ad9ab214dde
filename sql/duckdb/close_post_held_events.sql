-- The account events after a close: those of the period that are still held post
-- again at the next period's first instant (SPEC section 14, 36).
SELECT * REPLACE (
    CASE WHEN held IS NOT NULL AND posted_at >= $1 AND posted_at < $2 THEN CAST($2 AS TIMESTAMP) ELSE posted_at END AS posted_at
)
FROM judged_events
ORDER BY account, posted_at, "at", event_id
