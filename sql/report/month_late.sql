-- Late usage: calls of earlier months that burn in this one, by the month of their time, and
-- calls of this month that burn in a later one, which a re-rate brings home.
SELECT
  strftime({{.Local `"time"`}}, '%Y-%m') AS made_in, period AS burns_in, count(*) AS calls, count(DISTINCT account) AS accounts,
  CAST(sum(credits) AS DECIMAL(38, 6)) AS credits
FROM rated
WHERE late AND held IS NULL AND (period = $period OR period > $period AND strftime({{.Local `"time"`}}, '%Y-%m') = $period)
GROUP BY ALL ORDER BY burns_in, made_in
