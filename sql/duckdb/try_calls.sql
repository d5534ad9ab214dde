-- What rating makes of calls that stand in no lake, in their order: line is the
-- place of each among them.
SELECT price_table, price_version, rule, CAST(credits AS VARCHAR) AS credits, held FROM (
{{.Select}}
) ORDER BY line
