-- One UTC day's rejects.
SELECT source, object, line, byte_offset, reason, detail, raw
FROM read_parquet({{literal .Path}})
WHERE day = CAST($1 AS DATE)
ORDER BY object, source, line
