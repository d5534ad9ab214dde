-- Alerts that were reached in the month: by percent of the allowance, and low balances of
-- whatever threshold.
SELECT
  CASE WHEN kind = 'percent' THEN rtrim(rtrim(CAST(threshold AS VARCHAR), '0'), '.') || ' % of the allowance' ELSE 'low balance' END AS alert,
  count(*) AS alerts, count(DISTINCT account) AS accounts
FROM alerts WHERE period = $period
GROUP BY kind, CASE WHEN kind = 'percent' THEN threshold END, alert
ORDER BY kind DESC, CASE WHEN kind = 'percent' THEN threshold END, alert
