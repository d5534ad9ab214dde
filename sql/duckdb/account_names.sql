-- The first accounts by name that have events, and how many there are.
SELECT account, count(*) OVER () AS "of"
FROM (SELECT DISTINCT account FROM account_log)
ORDER BY account
LIMIT $1
