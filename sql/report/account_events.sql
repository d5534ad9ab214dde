-- What happened to an account besides calls, up to a month's end: the last twenty of its plan, packs, top-ups, grants,
-- expiries and settings, the newest first.
WITH stand AS (
  SELECT coalesce((SELECT "end" FROM periods WHERE period = $period AND state = 'closed'), CASE WHEN balances_period = $period THEN balances_at END, run_at) AS stood
  FROM as_of
),
moved AS (
  SELECT
    l."at" AS happened, CASE l.entry WHEN 'expire' THEN 1 WHEN 'rollover_in' THEN 2 ELSE 5 END AS place,
    CASE
      WHEN l.entry = 'expire' THEN 'Credits expired'
      WHEN l.entry = 'void' THEN 'Credits taken back'
      WHEN l.entry = 'rollover_in' THEN 'Credits rolled over'
      WHEN b.kind = 'allowance' THEN 'Allowance of the plan'
      WHEN b.kind = 'pack' THEN 'Pack bought'
      WHEN b.kind = 'topup' THEN 'Automatic top-up'
      WHEN b.kind = 'promotion' THEN 'Credits given'
      ELSE 'Credits brought over'
    END AS what,
    CASE WHEN l.entry = 'grant' AND b.kind IN ('allowance', 'pack', 'topup') THEN l.detail END AS item,
    l.credits, l.bucket_id AS id
  FROM ledger AS l
  JOIN balances AS b ON b.account = l.account AND b.bucket_id = l.bucket_id AND b.period = l.period
  WHERE l.account = $account AND l.period <= $period AND l.entry IN ('grant', 'expire', 'void', 'rollover_in')
),
told AS (
  SELECT
    posted_at AS happened, CASE type WHEN 'account.opened' THEN 3 ELSE 4 END AS place,
    CASE type
      WHEN 'account.opened' THEN 'Account opened'
      WHEN 'account.updated' THEN 'Details changed'
      WHEN 'subscription.started' THEN 'Plan begun'
      WHEN 'subscription.changed' THEN 'Plan changed'
      WHEN 'subscription.cancelled' THEN 'Plan cancelled, to its cycle''s end'
      WHEN 'charge.added' THEN 'Charge, or discount, on the invoice'
      WHEN 'overage.set' THEN CASE payload ->> '$.protection' WHEN 'false' THEN 'Overage allowed' WHEN 'true' THEN 'Overage not allowed' ELSE 'Overage limited' END
      WHEN 'topup.set' THEN 'Automatic top-up set'
      WHEN 'topup.cleared' THEN 'Automatic top-up ended'
      ELSE 'Low-balance alert set'
    END AS what,
    CASE
      WHEN type LIKE 'subscription.%' THEN payload ->> '$.plan'
      WHEN type = 'topup.set' THEN payload ->> '$.pack'
      WHEN type = 'charge.added' THEN payload ->> '$.description'
    END AS item,
    NULL AS credits, event_id AS id
  FROM account_events, stand
  WHERE account = $account AND held IS NULL AND posted_at < stood
    AND type IN ('account.opened', 'account.updated', 'subscription.started', 'subscription.changed', 'subscription.cancelled', 'charge.added', 'overage.set', 'topup.set', 'topup.cleared', 'alert.set')
)
SELECT strftime({{.LocalAtAnyTime "happened"}}, '%Y-%m-%d %H:%M:%S') AS time, what, item, CAST(credits AS DECIMAL(38,6)) AS credits
FROM (SELECT * FROM moved UNION ALL SELECT * FROM told)
ORDER BY happened DESC, place DESC, what, item NULLS FIRST, id
LIMIT 20
