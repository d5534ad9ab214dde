-- Whether the month is open, cut or closed and by which runs, and how far its balances go.
SELECT
  $period AS month, COALESCE(p.state, 'open') AS state, p.start, p."end", p.cut_run, p.close_run, a.run AS newest_run, a.run_at AS newest_run_at,
  CASE WHEN p.state = 'closed' THEN p."end" WHEN a.balances_period = $period THEN a.balances_at END AS balances_at
FROM as_of AS a LEFT JOIN periods AS p ON p.period = $period
