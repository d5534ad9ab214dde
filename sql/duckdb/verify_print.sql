-- How many rows a relation has, and a print of them that does not depend on their order: the same rows give the same.
SELECT count(*), concat_ws('/', coalesce(sum(row_hash), 0), coalesce(bit_xor(row_hash), 0))
FROM (SELECT hash({{range $i, $c := .Columns}}{{if $i}}, {{end}}{{ident $c}}{{end}}) AS row_hash FROM {{ident .View}})
