-- The accounts that have calls to burn in the period, in their order, and how many.
SELECT account, count(*) AS calls FROM rated WHERE held IS NULL GROUP BY account ORDER BY account
