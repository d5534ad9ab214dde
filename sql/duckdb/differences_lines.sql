-- The differences one by one, for the report of one account, drafts beside each other;
-- every row says how many there are before the limit.
SELECT
    draft, period, measure, coalesce(item, ''), unit, CAST("before" AS VARCHAR), CAST("after" AS VARCHAR), calls, cause,
    (SELECT count(*) FROM difference_rows) AS "of"
FROM difference_rows
ORDER BY
    period,
    list_position(['fee', 'pack', 'topup', 'charge', 'overage_charge', 'tax', 'rated', 'overage', 'denied', 'expired', 'balance'], measure),
    unit, item NULLS FIRST, cause, draft
LIMIT $1
