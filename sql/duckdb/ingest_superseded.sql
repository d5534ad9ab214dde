-- Rejects of earlier runs that leave, for their line reads otherwise now: a record
-- stands there, and it is no reject, or another one. A call taken back stays so.
CREATE OR REPLACE TEMP TABLE ingest_superseded AS
SELECT o.number AS "#object", k.source, k.object, k.line, k.reason, k.accepted, k.file
FROM known_rejects k
JOIN ingest_object o ON o.source = k.source AND o.object = k.object
WHERE o.kept AND o.again AND k.reason <> 'voided'
    AND EXISTS (SELECT 1 FROM ingest_again n WHERE n."#object" = o.number AND n."#line" = k.line)
    AND NOT EXISTS (
        SELECT 1 FROM ingest_kept u WHERE u."#object" = o.number AND u.line = k.line AND u.file = k.file)
