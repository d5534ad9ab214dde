-- The live rejects of the objects being read again, and the run that read each: of a
-- file of several runs it stands in the row.
CREATE OR REPLACE TEMP TABLE known_rejects AS
SELECT
    r.source, r.object, r.line, r.byte_offset, r.reason, r.raw, r.file, f.accepted, coalesce(r.read_by, f.read_by) AS read_by
FROM rejected_by_file r
JOIN reject_file f USING (file)
SEMI JOIN reading USING (source, object)
