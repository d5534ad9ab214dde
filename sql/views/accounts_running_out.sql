-- How long what an account can use lasts, expiry aside, at the pace of the 7 days before the newest balances: a row for
-- each that used credits then. What was overage or denied counts as used; late calls do not: they were made before. Where
-- the balances stand at a month's end, what the next month's cycle grants at that instant is usable too. before_renewal
-- says that it runs out before the next allowance comes, or that none comes; then calls are denied where protection is
-- true, else they are overage as far as a limit goes, unless it buys top-ups. Beyond 100 years days_left and runs_out_on
-- are NULL.
WITH
used AS (
  SELECT account, sum(credits) AS credits
  FROM rated
  WHERE held IS NULL AND NOT late AND posted_at >= {{.BalancesAt}} - INTERVAL 7 DAY AND posted_at < {{.BalancesAt}}
    AND period >= {{.WeekBefore}} AND period <= {{.BalancesPeriod}}
  GROUP BY account
),
usable AS (
  SELECT account, sum(credits) AS credits
  FROM (
    SELECT account, remaining AS credits
    FROM balances
    WHERE period = {{.BalancesPeriod}} AND starts_at <= {{.BalancesAt}} AND (expires_at IS NULL OR expires_at > {{.BalancesAt}})
    UNION ALL
    SELECT account, allowance FROM standings WHERE {{.BalancesAtEnd}} AND from_at = {{.BalancesAt}}
  )
  GROUP BY account
),
paces AS (
  SELECT
    u.account, COALESCE(b.credits, 0) AS usable, u.credits AS used,
    CAST(replace(CAST(COALESCE(b.credits, 0) AS VARCHAR), '.', '') AS HUGEINT) AS left_micros,
    CAST(replace(CAST(u.credits AS VARCHAR), '.', '') AS HUGEINT) AS used_micros
  FROM used AS u
  LEFT JOIN usable AS b ON b.account = u.account
  WHERE u.credits > 0
),
lasting AS (
  -- 7 × left ÷ used days: whole ones, and what is over, in parts of used.
  SELECT
    account, usable, used,
    CASE WHEN left_micros // used_micros <= 5214 THEN CAST(left_micros // used_micros * 7 + left_micros % used_micros * 7 // used_micros AS BIGINT) END AS days,
    CAST(left_micros % used_micros * 7 % used_micros * 86400 // used_micros AS BIGINT) AS seconds
  FROM paces
),
ends AS (
  SELECT
    l.account, l.usable, l.used, l.days, {{.BalancesAt}} + to_days(CAST(l.days AS INTEGER)) + to_seconds(l.seconds) AS runs_out_at,
    CASE WHEN s.next_allowance > 0 THEN s.to_at END AS renews_at, s.protection, s.topup
  FROM lasting AS l
  LEFT JOIN standings AS s ON s.account = l.account
)
SELECT
  account, CAST(usable AS DECIMAL(38,6)) AS usable, used AS used_7_days, days AS days_left, CAST({{.LocalAtAnyTime "runs_out_at"}} AS DATE) AS runs_out_on, renews_at,
  COALESCE(runs_out_at < renews_at, days IS NOT NULL AND renews_at IS NULL) AS before_renewal,
  COALESCE(protection, true) AS protection, COALESCE(topup, false) AS topup
FROM ends
