-- The rows of a file of rejected without the text of their records: no raw text,
-- and of the detail no value that it quotes. The detail of a call that was taken back, or
-- is a copy, says which call: that stays, as the call's id does. All columns of the file
-- stay, also those that are none of the table.
SELECT * REPLACE (
    CAST(NULL AS VARCHAR) AS raw,
    CASE
        WHEN reason IN ('duplicate', 'conflict', 'voided') THEN detail
        ELSE regexp_replace(detail, '"(?:[^"\\]|\\.)*"(?:\.\.\.)?', '"…"', 'g')
    END AS detail
)
FROM read_parquet({{literal .}}, hive_partitioning = false)
