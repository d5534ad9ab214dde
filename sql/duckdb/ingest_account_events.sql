-- New account events. One from before the open period's start posts there; while
-- the first period is open it posts where it is, but a balance brought over (SPEC
-- section 14, 15) at the period's start.
SELECT
    n.event_id, n.operation AS type, n.account, n."time" AS "at",
    CASE
        WHEN CAST($1 AS TIMESTAMP) = CAST($2 AS TIMESTAMP) AND n.operation <> 'bucket.opened' THEN n."time"
        WHEN n."time" < CAST($1 AS TIMESTAMP) THEN CAST($1 AS TIMESTAMP)
        ELSE n."time"
    END AS posted_at,
    CAST(NULL AS VARCHAR) AS held, n."#raw" AS payload
FROM ingest_other n
JOIN ingest_object o ON o.number = n."#object"
WHERE n."#kind" = 1 AND o.kept
    AND NOT EXISTS (SELECT 1 FROM ingest_settled s WHERE s."#object" = n."#object" AND s."#line" = n."#line")
ORDER BY n.account, "at", n.event_id
