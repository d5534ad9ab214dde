-- In the table objects, rejects that leave count as skipped in the reading that made
-- them: a later one has read the record otherwise.
INSERT INTO recount
SELECT s.source, s.object, f.read_by, 0, -count(*), count(*)
FROM ingest_superseded s
JOIN reject_file f USING (file)
GROUP BY ALL
