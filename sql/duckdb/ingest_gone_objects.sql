-- The objects of a source, or of a key, that runs have read and that are listed no
-- more.
SELECT DISTINCT object FROM objects
ANTI JOIN listed USING (source, object)
WHERE source = $1 OR object = $1
ORDER BY object
