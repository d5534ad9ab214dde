-- Rejects that are not to be written: the record is a call already, or it is
-- rejected already with the same offset, reason and text. Where a file says which,
-- its reject stays. Rejects made of calls, at a close, have no offset and text; the
-- text of old ones is dropped.
CREATE OR REPLACE TEMP TABLE ingest_kept AS
{{- if .Reread}}
SELECT r."#object", r.line, CAST(NULL AS VARCHAR) AS file
FROM ingest_reject r
JOIN ingest_standing s ON s."#object" = r."#object" AND s."#line" = r.line
{{- end}}
{{- if and .Reread .KnownRejects}}
UNION ALL
{{- end}}
{{- if .KnownRejects}}
SELECT r."#object", r.line, min(k.file) AS file
FROM ingest_reject r
JOIN ingest_object o ON o.number = r."#object"
JOIN known_rejects k ON k.source = r.source AND k.object = r.object AND k.line = r.line AND k.reason = r.reason
WHERE o.again
    AND (k.byte_offset = r.byte_offset AND (k.raw IS NULL OR k.raw = r.raw) OR k.byte_offset IS NULL)
GROUP BY r."#object", r.line
{{- end}}
