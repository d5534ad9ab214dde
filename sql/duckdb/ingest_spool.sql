-- Decoded records go to a scratch file as they come: later statements read it
-- several times, and memory stays flat. It is read back soon, from the page cache
-- as a rule, and by DuckDB alone, so packing it costs more than it saves; small row
-- groups let a day's statement pass over the other days'.
COPY (SELECT * FROM ingest_batches)
TO {{literal .Path}} (FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE 30720)
