-- Which row of a statement each call counts in. Project and key may be NULL, which equals nothing: IS NOT DISTINCT FROM.
SELECT r.account, r.operation, r.project, r.key, r.event_id, r.credits, s.credits AS of_all, s.value, s.currency, r.period
FROM rated AS r
JOIN statements AS s
  ON s.account = r.account AND s.operation = r.operation
  AND s.project IS NOT DISTINCT FROM r.project AND s.key IS NOT DISTINCT FROM r.key AND s.period = r.period
WHERE r.held IS NULL
ORDER BY r.account, r.operation, r.project, r.key, r."time", r.source, r.event_id
