-- The rejected records, as `rejects` lists them: by object and line, of one reason
-- ($1) or, where that is empty, of all.
WITH found AS (SELECT * FROM rejected WHERE $1 = '' OR reason = $1)
SELECT object, line, byte_offset, source, reason, detail, raw, day, (SELECT count(*) FROM found) AS "of"
FROM found
ORDER BY object, line, source
LIMIT $2
