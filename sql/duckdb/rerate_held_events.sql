-- The account events after a replayed period ($1 to $2): those that are held in it
-- post again at the next period's first instant (SPEC section 14, 36). What is held
-- in the last is held on in the open period.
SELECT * REPLACE (
    CASE WHEN held IS NOT NULL AND posted_at >= $1 AND posted_at < $2 THEN CAST($2 AS TIMESTAMP) ELSE posted_at END AS posted_at
)
FROM judged_events
ORDER BY account, "at", event_id
