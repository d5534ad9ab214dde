-- In the table objects, rejects that leave count as skipped in the reading that made
-- them: a later one has read the record otherwise.
SELECT s.source, s.object, f.read_by AS run, 0 AS events, -count(*) AS rejects, count(*) AS skipped
FROM ingest_superseded s
JOIN reject_file f USING (file)
GROUP BY ALL
