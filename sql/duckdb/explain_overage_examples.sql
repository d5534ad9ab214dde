-- The first and the last call that was overage, and the one with the most of it: a
-- call may come twice.
SELECT source, event_id, posted_at, operation, CAST(credits AS VARCHAR) AS credits,
    CASE place WHEN 1 THEN 'the first overage of the month' WHEN 2 THEN 'the most overage' ELSE 'the last overage' END AS what
FROM (
    SELECT *, 1 AS place FROM (SELECT * FROM explain_overage ORDER BY posted_at, "time", source, event_id LIMIT 1)
    UNION ALL
    SELECT *, 3 FROM (SELECT * FROM explain_overage ORDER BY posted_at DESC, "time" DESC, source DESC, event_id DESC LIMIT 1)
    UNION ALL
    SELECT *, 2 FROM (SELECT * FROM explain_overage ORDER BY credits DESC, posted_at, "time", source, event_id LIMIT 1)
)
ORDER BY place
