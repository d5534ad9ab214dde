-- What a gc compares: the objects that lie under data/, and what the log says of their
-- paths: `named` by a run, `replaced` by one and kept until an instant, `condemned` by an
-- earlier gc, or `kept` since it is live or documents are made of it.
CREATE OR REPLACE TEMP TABLE gc_listed (path VARCHAR, "table" VARCHAR, bytes BIGINT, written TIMESTAMP);
CREATE OR REPLACE TEMP TABLE gc_logged (path VARCHAR, what VARCHAR, until TIMESTAMP);
