-- The calls of a period, $1 to $2, that stand in usage besides an earlier copy of
-- the same source, account and id (SPEC section 3, Once), which may have been taken
-- back. Only keys whose hash comes twice are compared in full.
INSERT INTO leaving
WITH doubtful AS (
    SELECT hash(source, account, event_id) AS key_hash
    FROM period_calls
    WHERE "time" >= $1 AND "time" < $2
    GROUP BY key_hash
    HAVING count(*) > 1
),
ranked AS (
    SELECT
        source, account, event_id, "time", object, line, run, voided,
        row_number() OVER copies AS copy,
        first_value(object) OVER copies AS first_object,
        first_value(line) OVER copies AS first_line
    FROM period_calls
    WHERE "time" >= $1 AND "time" < $2
        AND hash(source, account, event_id) IN (SELECT key_hash FROM doubtful)
    WINDOW copies AS (PARTITION BY source, account, event_id ORDER BY run, object, line)
)
SELECT
    source, account, event_id, "time", object, line, run,
    concat('another copy of call ', event_id, ' of account ', account, ' came first: ', first_object, ' line ', first_line) AS detail,
    CAST(NULL AS VARCHAR) AS raw
FROM ranked
WHERE copy > 1 AND NOT voided
