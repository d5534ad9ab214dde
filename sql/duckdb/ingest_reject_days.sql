-- The days that have rejects.
SELECT CAST(day AS VARCHAR) FROM read_parquet({{literal .Path}}) GROUP BY day ORDER BY day
