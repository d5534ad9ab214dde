-- What the footers of Parquet files say: rows, and the columns in order with the types that they have for DuckDB.
WITH columns AS (
  SELECT file_name, string_agg(name || ' ' || duckdb_type, ', ' ORDER BY column_id) AS columns
  FROM parquet_schema({{.}})
  WHERE duckdb_type IS NOT NULL
  GROUP BY file_name
)
SELECT f.file_name, f.num_rows, coalesce(c.columns, '')
FROM parquet_file_metadata({{.}}) AS f
LEFT JOIN columns AS c ON c.file_name = f.file_name
ORDER BY f.file_name
