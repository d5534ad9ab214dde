-- The calls that leave usage and rated for rejected: which run brought each, and
-- what its reject will say.
CREATE OR REPLACE TEMP TABLE leaving (
    source VARCHAR, account VARCHAR, event_id VARCHAR, "time" TIMESTAMP, object VARCHAR, line BIGINT,
    run BIGINT, detail VARCHAR, raw VARCHAR
)
