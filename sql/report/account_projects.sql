-- What an account used in a month by project and key, the most first: twenty rows, and the others in one. share is in
-- percent of the month's credits, rounded to two digits.
WITH used AS (
  SELECT project, key, calls, credits, CAST(replace(CAST(credits AS VARCHAR), '.', '') AS HUGEINT) AS micros
  FROM usage_by_project WHERE account = $account AND period = $period AND calls > 0
),
ordered AS (
  SELECT row_number() OVER (ORDER BY credits DESC, calls DESC, project NULLS LAST, key NULLS LAST) AS place, * FROM used
),
shown AS (
  SELECT place, coalesce(project, 'no project') AS project, coalesce(key, 'no key') AS key, calls, credits, micros FROM ordered WHERE place <= 20
  UNION ALL
  SELECT CAST(21 AS BIGINT), 'and ' || CAST(count(*) AS VARCHAR) || ' more', NULL, sum(calls), sum(credits), sum(micros)
  FROM ordered WHERE place > 20 HAVING count(*) > 0
),
total AS (
  SELECT sum(micros) AS micros FROM used
)
SELECT
  project, key, CAST(calls AS BIGINT) AS calls, CAST(credits AS DECIMAL(38,6)) AS credits,
  CASE WHEN t.micros > 0 THEN CAST((s.micros * 20000 + t.micros) // (2 * t.micros) AS DECIMAL(18,0)) * 0.01 END AS share
FROM shown AS s, total AS t
ORDER BY place
