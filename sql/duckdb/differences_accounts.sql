-- What each account's differences come to: in money what it is charged with tax, in
-- credits what its calls were rated at, and what it holds at the end of the last period.
CREATE OR REPLACE TEMP TABLE difference_accounts AS
SELECT
    draft, account, unit,
    coalesce(sum("before") FILTER (WHERE part IN ('subtotal', 'tax', 'rated')), 0) AS "before",
    coalesce(sum("after") FILTER (WHERE part IN ('subtotal', 'tax', 'rated')), 0) AS "after",
    coalesce(sum(change) FILTER (WHERE part IN ('subtotal', 'tax', 'rated')), 0) AS change,
    coalesce(sum("before") FILTER (WHERE part = 'balance' AND period = {{literal .Through}}), 0) AS balance_before,
    coalesce(sum("after") FILTER (WHERE part = 'balance' AND period = {{literal .Through}}), 0) AS balance_after,
    string_agg(DISTINCT cause, ', ' ORDER BY cause) AS causes
FROM difference_rows
GROUP BY draft, account, unit
