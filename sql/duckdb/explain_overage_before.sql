-- How much overage an account ($1) had in the period before a call, in the order in
-- which calls burn: posted_at ($2), time ($3), source ($4), id ($5).
WITH overage AS (
    SELECT source, event_id, posted_at, sum(credits) AS credits
    FROM explain_burns
    WHERE account = $1 AND kind = 'overage' AND posted_at <= $2
    GROUP BY source, event_id, posted_at
), calls AS (
    SELECT source, event_id, posted_at, min("time") AS "time"
    FROM explain_rated
    WHERE account = $1 AND posted_at <= $2
    GROUP BY source, event_id, posted_at
)
SELECT CAST(coalesce(sum(o.credits), 0) AS VARCHAR)
FROM overage o
JOIN calls c USING (source, event_id, posted_at)
WHERE (o.posted_at, c."time", o.source, o.event_id) < (CAST($2 AS TIMESTAMP), CAST($3 AS TIMESTAMP), CAST($4 AS VARCHAR), CAST($5 AS VARCHAR))
