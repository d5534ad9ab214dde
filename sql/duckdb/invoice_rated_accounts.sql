-- The accounts that have calls to burn in the period, with how many and what they come to: rated is read once for both
-- the burn-down and its checks.
SELECT account, count(*) AS calls, sum(credits) AS credits FROM rated WHERE held IS NULL GROUP BY account
