-- Decoded records that are no usage go to a scratch file as they come: later
-- statements read it several times, and memory stays flat. It is read back soon,
-- from the page cache as a rule, so packing it costs more than it saves.
COPY (SELECT * FROM ingest_other_batches)
TO {{literal .Path}} (FORMAT parquet, COMPRESSION uncompressed)
