-- The calls that a close left held and that a re-rating finds held again, with the
-- period that left them: they stay where they are, in the open period.
CREATE OR REPLACE TEMP TABLE still_held (period VARCHAR, source VARCHAR, account VARCHAR, event_id VARCHAR, "time" TIMESTAMP)
