-- ingest_known where no earlier run has usage of these days.
CREATE OR REPLACE TEMP TABLE ingest_known
    ("#object" INTEGER, "#line" BIGINT, "#offset" BIGINT, "time" TIMESTAMP, outcome VARCHAR, detail VARCHAR)
