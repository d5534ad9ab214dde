-- The top-ups that a replay keeps, account by account.
SELECT account, number, starts_at, expires_at, granted, pack, units, unit_price, price, currency
FROM kept_topups
ORDER BY account, number
