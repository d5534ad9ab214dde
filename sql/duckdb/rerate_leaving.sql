-- They leave usage and rated, each for the reason it was voided for.
INSERT INTO leaving
SELECT
    source, account, event_id, "time", object, line, read_by,
    concat('call ', event_id, ' of account ', account, ' was voided: ', void_reason), CAST(NULL AS VARCHAR)
FROM voided_calls
