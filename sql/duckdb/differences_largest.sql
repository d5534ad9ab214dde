-- The accounts with the largest change of each unit, in whichever draft it is largest,
-- with what every draft makes of them. Accounts whose credits are rated as before, but
-- who hold others at the end, come after those.
WITH sized AS (
    SELECT unit, account, max(abs(change)) AS size, max(abs(balance_after - balance_before)) AS held
    FROM difference_accounts
    GROUP BY unit, account
    HAVING max(abs(change)) > 0 OR max(abs(balance_after - balance_before)) > 0
),
counted AS (
    SELECT unit, count(*) AS accounts
    FROM sized
    GROUP BY unit
),
ranked AS (
    SELECT unit, account, row_number() OVER (PARTITION BY unit ORDER BY size DESC, held DESC, account) AS place
    FROM sized
)
SELECT
    r.unit, c.accounts, r.account, a.draft, CAST(a."before" AS VARCHAR), CAST(a."after" AS VARCHAR),
    CAST(a.balance_before AS VARCHAR), CAST(a.balance_after AS VARCHAR), a.causes
FROM ranked AS r
JOIN counted AS c ON c.unit = r.unit
JOIN difference_accounts AS a ON a.unit = r.unit AND a.account = r.account
WHERE r.place <= $1
ORDER BY r.unit, r.place, a.draft
