-- Usage that decoders met twice.
CREATE OR REPLACE TEMP TABLE ingest_candidate AS SELECT * FROM ingest_candidate_batches
