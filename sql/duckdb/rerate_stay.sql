-- The calls of a file of the open period that a replay from $1 to $2 does not take
-- home. $3 is the period whose close left them, if one did: what the replay finds held
-- again stays.
CREATE OR REPLACE TEMP TABLE file_stays AS
SELECT *
FROM file_left AS f
WHERE "time" < $1 OR "time" >= $2 OR EXISTS (
    SELECT 1 FROM still_held AS h
    WHERE h.period = $3 AND h.source = f.source AND h.account = f.account AND h.event_id = f.event_id AND h."time" = f."time"
)
