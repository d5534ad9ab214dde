-- The keys of raw objects that mention a name.
SELECT DISTINCT object FROM forget_objects WHERE regexp_matches(object, {{literal .Mention}}) ORDER BY object
