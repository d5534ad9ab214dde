-- ingest_known where no earlier run has usage of these days.
CREATE OR REPLACE TEMP TABLE ingest_known
    ("#object" INTEGER, "#line" BIGINT, outcome VARCHAR, detail VARCHAR)
