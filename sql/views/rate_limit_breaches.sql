-- The windows in which an account made more calls than its plan's rate limit (SPEC section 14, 32): calls by their own
-- time, late and held ones left out, per clock hour or day of the billing time zone, against the plan version in force
-- at the window's last call. The hour that a clock change repeats is two windows. As many calls as the limit are no
-- breach.
WITH
limits AS (
  SELECT account, plan, from_at, to_at, rate_per, rate_calls FROM subscriptions WHERE rate_calls IS NOT NULL
),
windows AS (
  SELECT
    account, 'hour' AS rate_per, date_trunc('hour', {{.Local "time"}}) AS begins, {{.Offset "time"}} AS ahead, INTERVAL 1 HOUR AS lasts,
    count(*) AS calls, max("time") AS last_call, period
  FROM rated
  WHERE NOT late AND held IS NULL AND account IN (SELECT account FROM limits WHERE rate_per = 'hour')
  GROUP BY account, date_trunc('hour', {{.Local "time"}}), {{.Offset "time"}}, period
  HAVING count(*) > (SELECT min(rate_calls) FROM limits WHERE rate_per = 'hour')
  UNION ALL
  SELECT
    account, 'day', date_trunc('day', {{.Local "time"}}), NULL, INTERVAL 1 DAY,
    count(*), max("time"), period
  FROM rated
  WHERE NOT late AND held IS NULL AND account IN (SELECT account FROM limits WHERE rate_per = 'day')
  GROUP BY account, date_trunc('day', {{.Local "time"}}), period
  HAVING count(*) > (SELECT min(rate_calls) FROM limits WHERE rate_per = 'day')
),
offsets (since, until, ahead) AS (
  VALUES {{.Offsets}}
)
SELECT
  w.account, l.plan,
  min(greatest(w.begins - o.ahead, o.since)) AS window_start,
  max(least(w.begins + w.lasts - o.ahead, o.until)) AS window_end,
  w.rate_per, w.calls, l.rate_calls, w.period
FROM windows AS w
JOIN limits AS l ON l.account = w.account AND l.rate_per = w.rate_per AND l.from_at <= w.last_call AND (l.to_at IS NULL OR w.last_call < l.to_at)
-- A window has a part in each stretch between clock changes that knows some of its local time.
JOIN offsets AS o
  ON (w.ahead IS NULL OR o.ahead = w.ahead) AND greatest(w.begins - o.ahead, o.since) < least(w.begins + w.lasts - o.ahead, o.until)
WHERE w.calls > l.rate_calls
GROUP BY w.account, l.plan, w.begins, w.ahead, w.rate_per, w.calls, l.rate_calls, w.period
