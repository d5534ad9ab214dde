-- The first calls taken back, for people.
SELECT
    source, account, event_id, operation, "time", object, line,
    coalesce("#period", '') AS period, "#pending" AS pending, coalesce(CAST("#credits" AS VARCHAR), '') AS credits
FROM voiding
ORDER BY source, account, "time", event_id
LIMIT $1
