-- What an account used in a month by model and operation, the most first: twenty rows, and the others in one. Calls
-- without a model are not in it. share is in percent of the month's credits, rounded to two digits.
WITH called AS (
  SELECT {{if .Has "model"}}model{{else}}CAST(NULL AS VARCHAR) AS model{{end}}, operation, credits FROM rated WHERE account = $account AND period = $period AND held IS NULL
),
used AS (
  SELECT model, operation, count(*) AS calls, sum(credits) AS credits, CAST(replace(CAST(sum(credits) AS VARCHAR), '.', '') AS HUGEINT) AS micros
  FROM called WHERE model IS NOT NULL
  GROUP BY model, operation
),
ordered AS (
  SELECT row_number() OVER (ORDER BY credits DESC, calls DESC, model, operation) AS place, * FROM used
),
shown AS (
  SELECT place, model, operation, calls, credits, micros FROM ordered WHERE place <= 20
  UNION ALL
  SELECT CAST(21 AS BIGINT), 'and ' || CAST(count(*) AS VARCHAR) || ' more', NULL, sum(calls), sum(credits), sum(micros)
  FROM ordered WHERE place > 20 HAVING count(*) > 0
),
total AS (
  SELECT CAST(replace(CAST(sum(credits) AS VARCHAR), '.', '') AS HUGEINT) AS micros FROM called
)
SELECT
  model, operation, CAST(calls AS BIGINT) AS calls, CAST(credits AS DECIMAL(38,6)) AS credits,
  CASE WHEN t.micros > 0 THEN CAST((s.micros * 20000 + t.micros) // (2 * t.micros) AS DECIMAL(18,0)) * 0.01 END AS share
FROM shown AS s, total AS t
ORDER BY place
