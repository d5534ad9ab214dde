-- The projects that used most credits, each with its account. Of a closed month from
-- `statements`, else from `rated`. `of` is how many projects there are, `without` the
-- credits that were used without one.
WITH
used AS (
  SELECT
    account, project, count(*) FILTER (WHERE calls > 0 AND key IS NOT NULL) AS keys, CAST(sum(calls) AS BIGINT) AS calls, sum(credits) AS credits,
    CAST(sum(held_calls) AS BIGINT) AS held_calls
  FROM usage_by_project WHERE period = $period GROUP BY account, project
),
named AS (
  SELECT * FROM used WHERE project IS NOT NULL
)
SELECT
  project, account, keys, calls, CAST(credits AS DECIMAL(38, 6)) AS credits, held_calls,
  least((SELECT count(*) FROM named), 15) AS shown, (SELECT count(*) FROM named) AS "of",
  CAST(COALESCE((SELECT sum(credits) FROM used WHERE project IS NULL), 0) AS DECIMAL(38, 6)) AS without
FROM named ORDER BY credits DESC, calls DESC, project, account LIMIT 15
