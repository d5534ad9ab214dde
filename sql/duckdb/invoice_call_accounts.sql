-- The accounts that have calls to burn in the period, in their order, and how many.
SELECT account, calls FROM rated_accounts ORDER BY account
