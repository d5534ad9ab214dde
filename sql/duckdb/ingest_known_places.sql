-- Where calls stand, also those taken back, that were read from the objects being
-- read again as they were.
CREATE OR REPLACE TEMP VIEW known_places AS
WITH places AS (
    SELECT source, object, line FROM places_usage
    UNION ALL
    SELECT source, object, line FROM places_voided
)
SELECT source, object, line FROM places
SEMI JOIN (SELECT source, object FROM reading WHERE reread) USING (source, object)
