-- How many accounts change by how much, in powers of ten: 1 is a change of less than
-- one, 2 from 1 to below 10, 3 from 10 to below 100; negative where it is less.
WITH sized AS (
    SELECT draft, unit, change, split_part(CAST(abs(change) AS VARCHAR), '.', 1) AS whole
    FROM difference_accounts
    WHERE change <> 0
)
SELECT
    draft, unit,
    CAST(CASE WHEN whole = '0' THEN 1 ELSE length(whole) + 1 END * CASE WHEN change < 0 THEN -1 ELSE 1 END AS BIGINT) AS power,
    count(*) AS accounts
FROM sized
GROUP BY ALL
ORDER BY ALL
