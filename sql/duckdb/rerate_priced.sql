-- The calls of a replayed file that are priced, as the lake keeps them.
SELECT * EXCLUDE (_posted_before, _credits_before) FROM splitting WHERE held IS NULL
ORDER BY account, time, source, event_id
