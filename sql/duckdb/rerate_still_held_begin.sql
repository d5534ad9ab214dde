-- The calls that the last close left held and that a re-rating finds held again: they
-- stay where they are, in the open period.
CREATE OR REPLACE TEMP TABLE still_held (source VARCHAR, account VARCHAR, event_id VARCHAR, "time" TIMESTAMP)
