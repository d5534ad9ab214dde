-- The calls that are held, newest period first, as `held` lists them; every row
-- says how many there are before the limit.
WITH found AS (SELECT * FROM held_rated WHERE held IS NOT NULL)
SELECT
    period, held AS reason, account, operation, time, event_id, source, object, line, late,
    price_table, price_version, rule, (SELECT count(*) FROM found) AS "of"
FROM found
ORDER BY period DESC, held, account, time, source, event_id
LIMIT $1
