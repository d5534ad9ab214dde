-- Calls in an account's month that are of earlier months, by the month they were made in: they became known, or could be
-- priced, only after their own month had been closed.
SELECT
  strftime({{.Local "time"}}, '%Y-%m') AS month, count(*) AS calls, CAST(sum(credits) AS DECIMAL(38,6)) AS credits
FROM rated
WHERE account = $account AND period = $period AND late AND held IS NULL
GROUP BY month
ORDER BY month
