-- Raw text of copies, from objects read a second time.
CREATE OR REPLACE TEMP TABLE ingest_raw AS SELECT * FROM ingest_raw_batches
