-- What changes in the counts of the table objects.
CREATE OR REPLACE TEMP TABLE recount (
    source VARCHAR, object VARCHAR, run BIGINT, events BIGINT, rejects BIGINT, skipped BIGINT
)
