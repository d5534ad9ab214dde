-- The held ones of the replayed calls of a period ($1) that stand in the open period
-- already, where the close of theirs left them.
INSERT INTO still_held
SELECT $1, s.source, s.account, s.event_id, s."time"
FROM splitting AS s
JOIN left_files AS l ON l.source = s.source AND l.account = s.account AND l.event_id = s.event_id AND l."time" = s."time"
WHERE s.held IS NOT NULL
