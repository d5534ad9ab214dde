-- What a change of prices does to the calls of a period, in one pass over them: the
-- rating SELECT of the prices after reads what that of the prices before returns,
-- with its outcome in columns beside. Summed by account, operation and what holds
-- the calls, so that nothing grows with their number.
WITH usage_posted AS NOT MATERIALIZED (
  SELECT
    {{range .Columns}}{{ident .}}, {{end}}
    credits AS {{ident .CreditsBefore}}, held AS {{ident .HeldBefore}}
  FROM (
    WITH usage_posted AS NOT MATERIALIZED (
      SELECT {{range $i, $name := .Columns}}{{if $i}}, {{end}}{{ident $name}}{{end}}
      FROM period_rated
      WHERE {{.Operations}}
    )
    SELECT * FROM (
{{.Before}}
    )
  )
)
SELECT
  account, operation, {{ident .HeldBefore}} AS held_before, held AS held_after,
  count(*) AS calls,
  count(*) FILTER (WHERE credits <> {{ident .CreditsBefore}}) AS changed,
  sum({{ident .CreditsBefore}}) AS credits_before, sum(credits) AS credits_after
FROM (
{{.After}}
)
GROUP BY ALL
