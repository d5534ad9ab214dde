-- Rows of the table objects with their counts changed: records stay events, rejects
-- and skipped.
SELECT o.* REPLACE (
    o.events + coalesce(c.events, 0) AS events,
    o.rejects + coalesce(c.rejects, 0) AS rejects,
    o.skipped + coalesce(c.skipped, 0) AS skipped
)
FROM recounted o
LEFT JOIN recount c USING (source, object, run)
ORDER BY o.source, o.object, o.run
