-- The calls that leave at once, for the reason given ($1), with their raw text where
-- it could be read: but not of accounts that are forgotten, whose name it has.
INSERT INTO leaving
SELECT
    v.source, v.account, v.event_id, v."time", v.object, v.line, v.read_by,
    concat('call ', v.event_id, ' of account ', v.account, ' was voided: ', CAST($1 AS VARCHAR)),
    CASE WHEN NOT regexp_matches(v.account, {{literal .}}) THEN r."#raw" END
FROM voiding v
LEFT JOIN void_object o ON o.source = v.source AND o.object = v.object AND o.run = v.read_by
LEFT JOIN ingest_raw r ON r."#object" = o.number AND r."#line" = v.line
WHERE NOT v."#pending"
