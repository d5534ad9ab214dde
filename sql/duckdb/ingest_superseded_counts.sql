-- For each object by reason: 0 the earlier rejects that leave and that no close had
-- accepted, 1 those that one had, 2 the new rejects of records whose former reject
-- a close had accepted.
SELECT "#object", reason, CASE WHEN accepted THEN 1 ELSE 0 END AS what, count(*)
FROM ingest_superseded
GROUP BY ALL
UNION ALL
SELECT "#object", reason, 2, count(*)
FROM ingest_reject
WHERE accepted
GROUP BY ALL
ORDER BY ALL
