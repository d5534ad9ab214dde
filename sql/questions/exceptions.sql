-- What of this month came late, is held, or was rejected, why, and what did the late calls cost?
-- what: late call (it came after its own month was cut and counts in this one), held call and held account event (kept
-- out of billing; in the month they post to), rejected record (of the month's days, in UTC). reason: why.
-- records: how many. credits: what the late calls cost. first, last: the earliest and the latest, rejected ones by their
-- day. example: the id of a call or event, or the object and line of a record.
WITH
found AS (
  SELECT 'late call' AS what, NULL AS reason, source, account, credits, time AS moment, event_id AS example
  FROM rated
  WHERE period = $period AND late = true AND held IS NULL
  UNION ALL
  SELECT 'held call', held, source, account, NULL, time, event_id
  FROM rated
  WHERE period = $period AND held IS NOT NULL
  UNION ALL
  SELECT 'held account event', e.held, NULL, e.account, NULL, e."at", e.event_id
  FROM account_events AS e
  LEFT JOIN periods AS p ON e.posted_at >= p.start AND e.posted_at < p."end"
  WHERE e.held IS NOT NULL AND COALESCE(p.period, (SELECT balances_period FROM as_of)) = $period -- no periods before the first is cut
  UNION ALL
  SELECT 'rejected record', reason, source, NULL, NULL, CAST(day AS TIMESTAMP), object || ':' || line
  FROM rejected
  WHERE day LIKE $period || '-%'
)
SELECT
  what, reason, source, account, count(*) AS records, sum(CASE WHEN what = 'late call' THEN credits END) AS credits,
  min(moment) AS first, max(moment) AS last, min(example) AS example
FROM found
GROUP BY what, reason, source, account
ORDER BY
  CASE what WHEN 'late call' THEN 1 WHEN 'held call' THEN 2 WHEN 'held account event' THEN 3 ELSE 4 END,
  records DESC, reason, source, account
