-- What a call was rated at: the rows of one id ($1), source ($2), account ($3) and
-- time ($4), one where all is well. The posting period is in the last column.
SELECT posted_at, late, price_table, price_version, rule, CAST(credits AS VARCHAR) AS credits, held, object, line, "#period" AS period
FROM explain_rated
WHERE event_id = $1 AND source = $2 AND account = $3 AND "time" = $4
ORDER BY posted_at
