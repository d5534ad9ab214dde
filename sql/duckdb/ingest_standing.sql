-- Records, of objects read again as they were, that are calls already, also calls
-- taken back: they stay that, whatever the mapping makes of them now. Where the line
-- stands in `rejected`, the call is one of another content of the object.
CREATE OR REPLACE TEMP TABLE ingest_standing AS
SELECT n."#object", n."#line", n."#offset", n."time", n."#kind"
FROM ingest_again n
JOIN ingest_object o ON o.number = n."#object"
WHERE o.kept AND o.reread AND n."#kind" IN (0, 2)
    AND EXISTS (
        SELECT 1 FROM known_places k
        WHERE k.source = o.source AND k.object = o.object AND k.line = n."#line")
    {{- if .KnownRejects}}
    AND NOT EXISTS (
        SELECT 1 FROM known_rejects k
        WHERE k.source = o.source AND k.object = o.object AND k.line = n."#line" AND k.reason <> 'voided')
    {{- end}}
