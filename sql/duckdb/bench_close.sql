-- What bare DuckDB needs to sort rated calls into burning order and write the
-- columns of `burns` with a constant bucket: the yardstick for close.
SELECT
    account, posted_at, source, event_id,
    CAST(NULL AS VARCHAR) AS bucket_id, 'allowance' AS kind, credits
FROM read_parquet({{.Files}}, hive_partitioning = false)
ORDER BY account, posted_at, "time", source, event_id
