-- The objects that may go at an instant ($1), in the order of their paths: what an
-- earlier gc has condemned and not deleted, what was replaced long enough ago, and what
-- no run names and was written before an instant ($2). Never what is kept.
CREATE OR REPLACE TEMP TABLE gc_doomed AS
WITH known AS (
    SELECT path, bool_or(what = 'kept') AS kept, bool_or(what = 'condemned') AS condemned, max(until) AS until
    FROM gc_logged
    SEMI JOIN gc_listed USING (path)
    GROUP BY path
), told AS (
    SELECT l.path, l."table", l.bytes,
        CASE
            WHEN k.path IS NULL THEN CASE WHEN l.written < CAST($2 AS TIMESTAMP) THEN 'unnamed' END
            WHEN k.kept THEN NULL
            WHEN k.condemned THEN 'condemned'
            WHEN k.until < CAST($1 AS TIMESTAMP) THEN 'replaced'
        END AS reason
    FROM gc_listed l
    LEFT JOIN known k ON k.path = l.path
)
SELECT path, "table", bytes, reason
FROM told
WHERE reason IS NOT NULL
ORDER BY path
