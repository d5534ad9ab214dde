-- The listed raw objects that no run has read: an object is known by source, key
-- and content (SPEC section 3, Once). The second column says whether another
-- content of it has been read.
SELECT
    listed.n,
    EXISTS (SELECT 1 FROM objects WHERE objects.source = listed.source AND objects.object = listed.object) AS again
FROM listed
ANTI JOIN objects USING (source, object, identity)
ORDER BY listed.n
