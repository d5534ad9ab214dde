-- The alerts that an account reached in a month, the last fifty: usage is that of the cycle, left what could be used then.
SELECT
  strftime({{.Local `"at"`}}, '%Y-%m-%d %H:%M:%S') AS time,
  CASE WHEN kind = 'percent' THEN 'percent of the allowance used' ELSE 'credits left fell under' END AS alert,
  threshold, usage AS used_in_the_cycle, balance AS credits_left
FROM alerts
WHERE account = $account AND period = $period
ORDER BY "at" DESC, kind, threshold DESC, cycle_start
LIMIT 50
