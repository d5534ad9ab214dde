-- Whether the replay makes anything else of the account events than is live.
SELECT EXISTS (
    SELECT 1
    FROM replayed_events AS n
    FULL JOIN live_events AS o ON o.account = n.account AND o.event_id = n.event_id
    WHERE n.posted_at IS DISTINCT FROM o.posted_at OR n.held IS DISTINCT FROM o.held
)
