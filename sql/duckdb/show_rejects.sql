-- The rejected records, as `rejects` lists them: by object and line, of one reason
-- ($1) or, where that is empty, of all.
SELECT object, line, byte_offset, source, reason, detail, raw, day, count(*) OVER () AS "of"
FROM rejected
WHERE $1 = '' OR reason = $1
ORDER BY object, line, source
LIMIT $2
