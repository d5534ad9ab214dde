-- The account events after a replayed period ($1 to $2): those that are held in it
-- post again at the open period's first instant, $3 (SPEC section 14, 30).
SELECT * REPLACE (
    CASE WHEN held IS NOT NULL AND posted_at >= $1 AND posted_at < $2 THEN CAST($3 AS TIMESTAMP) ELSE posted_at END AS posted_at
)
FROM judged_events
ORDER BY account, "at", event_id
