-- The rejects that the copies of one UTC day become. Where the line began and what
-- it said is not kept for calls that were accepted.
SELECT
    source, object, line, CAST(NULL AS BIGINT) AS byte_offset, 'conflict' AS reason,
    concat('another copy of call ', event_id, ' of account ', account, ' came first: ', first_object, ' line ', first_line) AS detail,
    CAST(NULL AS VARCHAR) AS raw
FROM copies
WHERE strftime("time", '%Y-%m-%d') = $1
ORDER BY source, object, line
