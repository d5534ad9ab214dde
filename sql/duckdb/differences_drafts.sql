-- Of each draft, how many accounts differ in anything, and how many of them owe more
-- and less in some currency.
SELECT
    draft, count(DISTINCT account) AS accounts,
    count(DISTINCT account) FILTER (WHERE unit <> 'credits' AND change > 0) AS more,
    count(DISTINCT account) FILTER (WHERE unit <> 'credits' AND change < 0) AS less
FROM difference_accounts
GROUP BY draft
ORDER BY draft
