-- What each account used of the cycle that was running when the period began, for its percent alerts: everything that
-- was burned, overage or denied since the cycle's start, by posted_at (SPEC section 14, 23).
SELECT c.account, c.cycle_start, CAST(coalesce(sum(b.credits), 0) AS DECIMAL(38, 6)) AS used
FROM invoice_cycles AS c
LEFT JOIN prior_burns AS b ON b.account = c.account AND b.posted_at >= c.cycle_start
GROUP BY c.account, c.cycle_start
ORDER BY c.account
