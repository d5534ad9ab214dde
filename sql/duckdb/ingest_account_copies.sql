-- Account events have one row for each (account, id) over all sources and runs: an
-- earlier run's, else the first by object key and line. What earlier runs have is
-- without object and line, so an equal event counts as one that stands there
-- unchanged where its object was read before, unless its line was rejected then.
INSERT INTO ingest_settled
WITH fresh AS (
    SELECT
        n.*, o.object,
        o.again
            {{- if .KnownRejects}} AND NOT EXISTS (
                SELECT 1 FROM known_rejects k
                WHERE k.source = o.source AND k.object = o.object AND k.line = n."#line" AND k.reason = 'duplicate')
            {{- end}} AS in_place,
        row_number() OVER (PARTITION BY n.account, n.event_id ORDER BY n."#object", n."#line") AS copy
    FROM ingest_other n
    JOIN ingest_object o ON o.number = n."#object"
    WHERE n."#kind" = 1 AND o.kept
)
SELECT
    n."#object", n."#line", n."#kind", n."#offset", n."time",
    CASE
        WHEN n."#raw" <> k.payload THEN 'conflict'
        WHEN n.in_place THEN 'skipped'
        ELSE 'duplicate'
    END,
    'the account has this event already'
FROM fresh n
JOIN known_account_events k ON k.account = n.account AND k.event_id = n.event_id
UNION ALL
SELECT
    n."#object", n."#line", n."#kind", n."#offset", n."time",
    CASE WHEN n."#raw" = w."#raw" THEN 'duplicate' ELSE 'conflict' END,
    'the event is that of ' || w.object || ' line ' || w."#line"
FROM fresh n
JOIN fresh w ON w.account = n.account AND w.event_id = n.event_id AND w.copy = 1
WHERE n.copy > 1
    AND NOT EXISTS (SELECT 1 FROM known_account_events k WHERE k.account = n.account AND k.event_id = n.event_id)
