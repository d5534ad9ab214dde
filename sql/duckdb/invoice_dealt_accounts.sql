-- The accounts that have calls in the period, held or not, in their order, and how many.
SELECT account, count(*) AS calls FROM dealt GROUP BY account ORDER BY account
