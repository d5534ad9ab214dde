-- credits rated = burned + overage + denied, for every account (SPEC section 6). rated_accounts sums rated up without
-- held calls.
SELECT account, coalesce(r.credits, 0) AS rated, coalesce(l.credits, 0) AS paid
FROM rated_accounts AS r
FULL JOIN (
  SELECT account, sum(credits) AS credits FROM ledger WHERE entry IN ('burn', 'overage', 'denied') GROUP BY account
) AS l USING (account)
WHERE coalesce(r.credits, 0) <> coalesce(l.credits, 0)
