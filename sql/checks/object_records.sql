-- records = events + rejects + skipped, for every object (SPEC section 3, Rejects). None is ever negative.
SELECT source, object, run, records, events, rejects, skipped
FROM all_objects
WHERE records <> events + rejects + skipped OR events < 0 OR rejects < 0 OR skipped < 0
