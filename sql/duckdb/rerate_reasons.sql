-- Why a period ($2, from $3 to $4) of an account can differ: its calls, what its plans
-- and packs grant where a version was corrected, its account events where they act
-- elsewhere or are judged otherwise, and what the period before it left.
INSERT INTO reasons
SELECT DISTINCT $1, $2, account, reason
FROM (
    SELECT account, cause AS reason
    FROM differences
    WHERE measure = 'rated' AND period = $2 AND draft IS NOT DISTINCT FROM $5
    UNION ALL
    SELECT n.account, 'price'
    FROM replayed_ledger AS n
    JOIN live_ledger AS o ON o.account = n.account AND o.bucket_id = n.bucket_id AND o.entry = n.entry AND o.detail IS NOT DISTINCT FROM n.detail
    WHERE n.entry = 'grant' AND n.credits <> o.credits
    UNION ALL
    SELECT coalesce(n.account, o.account), 'account event'
    FROM replayed_events AS n
    FULL JOIN live_events AS o ON o.account = n.account AND o.event_id = n.event_id
    WHERE (n.posted_at IS DISTINCT FROM o.posted_at OR n.held IS DISTINCT FROM o.held)
        AND (n.posted_at >= $3 AND n.posted_at < $4 OR o.posted_at >= $3 AND o.posted_at < $4)
    UNION ALL
    SELECT coalesce(n.account, o.account), 'knock-on'
    FROM opening_after AS n
    FULL JOIN opening_before AS o ON o.bucket_id = n.bucket_id
    WHERE n.remaining IS DISTINCT FROM o.remaining AND (coalesce(n.remaining, 0) <> 0 OR coalesce(o.remaining, 0) <> 0)
)
