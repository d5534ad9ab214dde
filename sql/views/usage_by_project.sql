-- What each account used, by project and key: of a closed month what its statements say, since then what is rated.
-- Held calls count in held_calls and in nothing else (SPEC section 14, 26).
SELECT
  account, project, key, CAST(sum(calls) AS BIGINT) AS calls, sum(credits) AS credits,
  CAST(sum(late_calls) AS BIGINT) AS late_calls, CAST(sum(held_calls) AS BIGINT) AS held_calls, period
FROM statements
WHERE operation IS NOT NULL AND period < {{literal .Open}}
GROUP BY account, project, key, period
UNION ALL
SELECT
  account, project, key, count(*) - count(held) AS calls, sum(credits) AS credits,
  count(*) FILTER (WHERE late AND held IS NULL) AS late_calls, count(held) AS held_calls, period
FROM rated
WHERE period >= {{literal .Open}}
GROUP BY account, project, key, period
