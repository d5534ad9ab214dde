-- The calls of a file of the open period that a replay from $1 to $2 does not take
-- home. $3 says whether the last close left them: what the replay finds held again
-- stays.
CREATE OR REPLACE TEMP TABLE file_stays AS
SELECT *
FROM file_left AS f
WHERE "time" < $1 OR "time" >= $2 OR $3 AND EXISTS (
    SELECT 1 FROM still_held AS h
    WHERE h.source = f.source AND h.account = f.account AND h.event_id = f.event_id AND h."time" = f."time"
)
