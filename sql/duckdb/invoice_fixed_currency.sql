-- Accounts that were charged money in an earlier period (SPEC section 14, 37).
SELECT DISTINCT account FROM fixed_currency ORDER BY account
