-- The calls of an account ($1) at an instant ($2), in the order they burn, which is
-- where a top-up was bought.
SELECT source, event_id, posted_at, operation, CAST(credits AS VARCHAR) AS credits, 'burned when it was bought' AS what
FROM explain_rated
WHERE account = $1 AND posted_at = $2 AND held IS NULL
ORDER BY "time", source, event_id
LIMIT 5
