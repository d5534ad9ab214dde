-- The voided calls of replayed periods, as whoever reads their raw text wants them.
CREATE OR REPLACE TEMP TABLE voiding AS
SELECT source, object, line, read_by, false AS "#pending" FROM voided_calls
