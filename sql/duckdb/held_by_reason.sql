-- The held calls of a period by reason, with one example each: the first by
-- account, time and id.
SELECT
    held,
    count(*) AS calls,
    arg_min(
        concat('call ', event_id, ' of account ', account, ', ', operation, ' (', object, ' line ', line, ')'),
        (account, time, event_id, source)
    ) AS example
FROM period_rated
WHERE held IS NOT NULL
GROUP BY held
ORDER BY held
