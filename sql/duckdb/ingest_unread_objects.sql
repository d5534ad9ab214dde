-- The listed raw objects that no run has read: an object is known by source, key
-- and content (SPEC section 3, Once); and those wanted though a run has. The second
-- column says whether any content of it has been read, the third whether this has.
SELECT
    listed.n,
    EXISTS (SELECT 1 FROM objects o WHERE o.source = listed.source AND o.object = listed.object) AS again,
    EXISTS (
        SELECT 1 FROM objects o
        WHERE o.source = listed.source AND o.object = listed.object AND o.identity = listed.identity) AS reread
FROM listed
WHERE wanted OR NOT reread
ORDER BY listed.n
