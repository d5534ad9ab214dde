-- The live rejects of the objects being read again.
CREATE OR REPLACE TEMP TABLE known_rejects AS
SELECT r.source, r.object, r.line, r.byte_offset, r.reason, r.raw, r.file, f.accepted
FROM rejected_by_file r
JOIN reject_file f USING (file)
SEMI JOIN reading USING (source, object)
