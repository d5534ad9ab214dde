-- The differences as they are handed out, in an order that does not change.
SELECT NULLIF(draft, '') AS draft, period, account, measure, item, unit, "before", "after", calls, cause
FROM difference_rows
ORDER BY draft NULLS FIRST, period, account, measure, item NULLS FIRST, unit, cause
