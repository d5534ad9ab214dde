-- What bare DuckDB needs to read usage and write the columns of `rated` with a
-- constant price, in whatever order they come: the yardstick for rate.
SELECT
    event_id, source, account, project, "key", operation, "time", object, line,
    "time" AS posted_at, false AS late, 'api' AS price_table, CAST(1 AS INTEGER) AS price_version,
    CAST(1 AS INTEGER) AS rule, CAST(1 AS DECIMAL(18,6)) AS credits, CAST(NULL AS VARCHAR) AS held,
    * EXCLUDE (event_id, source, account, project, "key", operation, "time", object, line)
FROM read_parquet({{.Files}}, hive_partitioning = false)
