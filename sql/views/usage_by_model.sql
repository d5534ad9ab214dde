-- What was used by model, the dimension of that name, and by operation; the model is NULL of calls without one, and of
-- all calls where the lake has no such dimension. Held calls count in held_calls and in nothing else (SPEC section 14,
-- 26); a close moves what is held on, so closed months have none.
{{- $model := "CAST(NULL AS VARCHAR)"}}{{if .Has "model"}}{{$model = "CAST(model AS VARCHAR)"}}{{end}}
SELECT
  {{$model}} AS model, operation, count(*) - count(held) AS calls, sum(credits) AS credits,
  count(*) FILTER (WHERE late AND held IS NULL) AS late_calls, count(held) AS held_calls, period
FROM rated
GROUP BY {{$model}}, operation, period
