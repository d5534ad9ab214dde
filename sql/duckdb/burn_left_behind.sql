-- The calls a period's statement counts in held_calls: those still held in it,
-- and those that its cut has moved on already (SPEC section 14, 26).
SELECT * FROM period_rated WHERE held IS NOT NULL
UNION ALL
SELECT * FROM moved_on
