-- The held ones of a file of replayed calls that stand in the open period already,
-- where the last close left them, as they are: held for the same reason, or let go,
-- for an account that the open period opened.
INSERT INTO still_held
SELECT s.source, s.account, s.event_id, s."time"
FROM splitting AS s
JOIN left_files AS l ON l.source = s.source AND l.account = s.account AND l.event_id = s.event_id AND l."time" = s."time"
WHERE s.held IS NOT NULL AND (l.held IS NULL OR l.held = s.held)
