-- A file of rejects, in its order, without the text of the records that are of whom a forget makes nameless: see
-- forget_found.
SELECT * EXCLUDE (file_row_number, "#forgotten") REPLACE (
    CASE WHEN "#forgotten" THEN 'forgotten' ELSE detail END AS detail,
    CASE WHEN NOT "#forgotten" THEN raw END AS raw
)
FROM (
    SELECT
        *,
        coalesce(regexp_matches(raw, {{literal .Mention}}), false) OR regexp_matches(detail, {{literal .Mention}})
            OR regexp_matches(object, {{literal .Mention}})
            OR (source, object, line) IN (SELECT (source, object, line) FROM forget_places)
            OR source IN (SELECT source FROM forget_sources) AS "#forgotten"
    FROM read_parquet({{.Files}}, file_row_number = true, hive_partitioning = false)
)
ORDER BY file_row_number
