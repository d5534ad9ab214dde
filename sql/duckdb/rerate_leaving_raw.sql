-- The raw text of the calls that leave, where it could be read: but not of accounts that are forgotten, whose name it has.
UPDATE leaving SET raw = found.raw
FROM (
    SELECT o.source, o.object, o.run, r."#line" AS line, r."#raw" AS raw
    FROM void_object AS o
    JOIN ingest_raw AS r ON r."#object" = o.number
) AS found
WHERE found.source = leaving.source AND found.object = leaving.object AND found.run = leaving.run AND found.line = leaving.line
    AND NOT regexp_matches(leaving.account, {{literal .}})
