-- In the table objects, rejects that leave count as skipped in the reading that made
-- them: a later one has read the record otherwise.
SELECT source, object, k.read_by AS run, 0 AS events, -count(*) AS rejects, count(*) AS skipped
FROM ingest_superseded
JOIN known_rejects k USING (file, source, object, line, reason)
GROUP BY ALL
