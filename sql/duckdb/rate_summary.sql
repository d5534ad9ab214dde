-- What a file of rated calls holds, by version and reason: few rows, and the
-- control totals of the run are sums over them.
SELECT price_table, price_version, held, count(*) AS calls, CAST(sum(credits) AS VARCHAR) AS credits, min(time) AS first, max(time) AS last
FROM read_parquet(?)
GROUP BY price_table, price_version, held
ORDER BY ALL
