-- All account events with the period's judgement: held as it is now, and the events that an account's first call stood
-- for (SPEC section 14, 35) among them.
WITH judged AS MATERIALIZED (
  SELECT * FROM invoice_rows
)
SELECT e.event_id, e.type, e.account, e."at", e.posted_at,
  CASE WHEN j.event_id IS NULL THEN e.held ELSE j.held END AS held, e.payload
FROM account_events AS e
LEFT JOIN judged AS j ON j.account = e.account AND j.event_id = e.event_id
UNION ALL
SELECT event_id, type, account, "at", posted_at, held, payload
FROM judged AS j
WHERE NOT EXISTS (SELECT 1 FROM account_events AS e WHERE e.account = j.account AND e.event_id = j.event_id)
ORDER BY account, "at", event_id
