-- The first accounts by name that have events, and how many there are.
WITH found AS (SELECT DISTINCT account FROM account_log)
SELECT account, (SELECT count(*) FROM found) AS "of"
FROM found
ORDER BY account
LIMIT $1
