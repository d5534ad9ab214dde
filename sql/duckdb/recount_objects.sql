-- Rows of the table objects with their counts changed: records stay events, rejects
-- and skipped.
WITH changes AS (
    SELECT source, object, run, sum(events) AS events, sum(rejects) AS rejects, sum(skipped) AS skipped
    FROM recount
    GROUP BY ALL
)
SELECT o.* REPLACE (
    CAST(o.events + coalesce(c.events, 0) AS BIGINT) AS events,
    CAST(o.rejects + coalesce(c.rejects, 0) AS BIGINT) AS rejects,
    CAST(o.skipped + coalesce(c.skipped, 0) AS BIGINT) AS skipped
)
FROM recounted o
LEFT JOIN changes c USING (source, object, run)
ORDER BY o.source, o.object, o.run
