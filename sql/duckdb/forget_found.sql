-- How many rows some files of a table have that are of whom a forget makes nameless: under the name; of rejects, records
-- that mention it, lie in an object that does, were a voided call, or came from a source that is the person's alone.
SELECT filename, count(*)
FROM read_parquet({{.Files}}, filename = true, hive_partitioning = false)
{{if .Rejected -}}
WHERE (raw IS NOT NULL OR detail <> 'forgotten')
    AND (
        regexp_matches(raw, {{literal .Mention}}) OR regexp_matches(detail, {{literal .Mention}}) OR regexp_matches(object, {{literal .Mention}})
        OR (source, object, line) IN (SELECT (source, object, line) FROM forget_places)
        OR source IN (SELECT source FROM forget_sources))
{{- else -}}
WHERE {{ident .Column}} = {{literal .Name}}{{if .Voided}} OR regexp_matches(void_reason, {{literal .Mention}}){{end}}
{{- end}}
GROUP BY filename
