-- The table objects with the copies counted as rejects, for the run that read them.
SELECT objects.* REPLACE (events - coalesce(copied.n, 0) AS events, rejects + coalesce(copied.n, 0) AS rejects)
FROM objects
LEFT JOIN (SELECT source, object, run, count(*) AS n FROM copies GROUP BY ALL) AS copied USING (source, object, run)
ORDER BY objects.source, objects.object, objects.run
