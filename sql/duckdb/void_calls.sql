-- The calls to be taken back, each with the period it posts to and its credits where
-- it is rated. Periods before $1 are cut: their calls wait for a re-rate. What no
-- rating has read posts to a period that is not cut.
CREATE OR REPLACE TEMP TABLE voiding AS
SELECT f.*, r.period AS "#period", r.credits AS "#credits", coalesce(r.period < $1, false) AS "#pending"
FROM void_found f
LEFT JOIN (SELECT source, account, event_id, "time", object, line, period, credits FROM void_rated) AS r
    USING (source, account, event_id, "time", object, line)
