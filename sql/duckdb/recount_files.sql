-- The files of the table objects with rows whose counts change.
SELECT DISTINCT o.file
FROM objects_by_file o
SEMI JOIN recount USING (source, object, run)
ORDER BY o.file
