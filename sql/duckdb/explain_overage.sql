-- An account's ($1) calls of a period that were overage, as explain_overage.
CREATE OR REPLACE TEMP TABLE explain_overage AS
WITH overage AS (
    SELECT source, event_id, posted_at, sum(credits) AS credits
    FROM explain_burns
    WHERE account = $1 AND kind = 'overage'
    GROUP BY source, event_id, posted_at
)
SELECT o.source, o.event_id, o.posted_at, o.credits, min(r."time") AS "time", min(r.operation) AS operation
FROM overage o
JOIN explain_rated r ON r.account = $1 AND r.source = o.source AND r.event_id = o.event_id AND r.posted_at = o.posted_at
GROUP BY o.source, o.event_id, o.posted_at, o.credits
