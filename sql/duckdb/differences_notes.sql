-- The notes that a commit of the differences issues: one for each account and period
-- whose charges or tax change (SPEC section 8), a credit note where it is less in all.
WITH charged AS (
    SELECT
        draft, account, period, unit,
        coalesce(sum(change) FILTER (WHERE part = 'subtotal'), 0) AS subtotal,
        coalesce(sum(change) FILTER (WHERE part = 'tax'), 0) AS tax
    FROM difference_rows
    WHERE unit <> 'credits'
    GROUP BY draft, account, period, unit
)
SELECT
    draft, CASE WHEN subtotal + tax < 0 THEN 'credit_note' ELSE 'debit_note' END AS kind, unit,
    count(*), CAST(sum(subtotal) AS VARCHAR), CAST(sum(tax) AS VARCHAR)
FROM charged
WHERE subtotal <> 0 OR tax <> 0
GROUP BY draft, kind, unit
ORDER BY draft, kind, unit
