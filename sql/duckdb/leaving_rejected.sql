-- The rejects, of one reason, that the calls of one UTC day ($1) and run ($2)
-- become. Where the line began is not kept for calls that were accepted.
SELECT
    source, object, line, CAST(NULL AS BIGINT) AS byte_offset, CAST($3 AS VARCHAR) AS reason, detail, raw
FROM leaving
WHERE strftime("time", '%Y-%m-%d') = $1 AND run = $2
ORDER BY object, source, line
