-- The listed raw objects that no run has read: an object is known by source, key
-- and content (SPEC section 3, Once).
SELECT listed.n
FROM listed
ANTI JOIN objects USING (source, object, identity)
ORDER BY listed.n
