-- The calls of a period, $1 to $2, that stand in usage besides an earlier copy of
-- the same source, account and id (SPEC section 3, Once). Only keys whose hash
-- comes twice are compared in full.
WITH doubtful AS (
    SELECT hash(source, account, event_id) AS key_hash
    FROM period_usage
    WHERE "time" >= $1 AND "time" < $2
    GROUP BY key_hash
    HAVING count(*) > 1
),
ranked AS (
    SELECT
        source, account, event_id, "time", object, line, CAST(run AS BIGINT) AS run,
        row_number() OVER copies AS copy,
        first_value(object) OVER copies AS first_object,
        first_value(line) OVER copies AS first_line
    FROM period_usage
    WHERE "time" >= $1 AND "time" < $2
        AND hash(source, account, event_id) IN (SELECT key_hash FROM doubtful)
    WINDOW copies AS (PARTITION BY source, account, event_id ORDER BY CAST(run AS BIGINT), object, line)
)
SELECT * EXCLUDE (copy) FROM ranked WHERE copy > 1
