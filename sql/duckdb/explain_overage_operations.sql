-- Overage by operation, the most first, at most $1 of them.
SELECT operation, count(*) AS calls, CAST(sum(credits) AS VARCHAR) AS credits
FROM explain_overage
GROUP BY operation
ORDER BY sum(credits) DESC, operation
LIMIT $1
