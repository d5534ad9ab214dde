-- A file's rows with a pseudonym in the place of a name, in the table's order: rows that are of one account, or of one
-- key, stay in the order in which they were.
SELECT * EXCLUDE (file_row_number)
FROM (
    SELECT * REPLACE (
        {{- if .Buckets}}
        CASE
            WHEN account = {{literal .Name}} AND starts_with(bucket_id, {{literal .Bucket}})
                THEN concat({{literal .Pseudonym}}, '/', substr(bucket_id, {{.Skip}}))
            ELSE bucket_id
        END AS bucket_id,
        {{- end}}
        {{- if .Ledger}}
        CASE
            WHEN account = {{literal .Name}} AND (entry = 'void' OR starts_with(bucket_id, {{literal .Bucket}} || 'promotion/')) THEN NULL
            ELSE detail
        END AS detail,
        {{- end}}
        {{- if .Lines}}
        CASE
            WHEN account = {{literal .Name}} AND kind = 'charge'
                THEN nullif(regexp_extract(description, '^(Corrected: |No longer due: )?'), '')
            ELSE description
        END AS description,
        {{- end}}
        {{- if .Payload}}
        CASE
            WHEN account = {{literal .Name}} THEN (SELECT any_value(f.left_of) FROM forget_payloads AS f WHERE f.payload = e.payload)
            ELSE payload
        END AS payload,
        {{- end}}
        {{- if .Voided}}
        CASE WHEN regexp_matches(void_reason, {{literal .Mention}}) THEN 'forgotten' ELSE void_reason END AS void_reason,
        {{- end}}
        CASE WHEN {{ident .Column}} = {{literal .Name}} THEN {{literal .Pseudonym}} ELSE {{ident .Column}} END AS {{ident .Column}}
    )
    FROM read_parquet({{.Files}}, file_row_number = true, hive_partitioning = false) AS e
)
ORDER BY account, {{if .ByKey}}operation NULLS FIRST, project NULLS FIRST, key NULLS FIRST, {{end}}file_row_number
