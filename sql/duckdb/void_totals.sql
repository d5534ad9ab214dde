-- The control totals of a void: calls, those that wait for a re-rate, and the credits
-- that leave at once.
SELECT
    count(*), count(*) FILTER (WHERE "#pending"),
    CAST(coalesce(sum("#credits") FILTER (WHERE NOT "#pending"), 0) AS VARCHAR)
FROM voiding
