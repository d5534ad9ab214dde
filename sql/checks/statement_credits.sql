-- Statements add up to what the ledger says each account used, and to the number of rated calls.
SELECT coalesce(s.account, l.account) AS account, coalesce(s.credits, 0) AS stated, coalesce(l.credits, 0) AS used
FROM (SELECT account, sum(credits) AS credits FROM statements GROUP BY account) AS s
FULL JOIN (
  SELECT account, sum(credits) AS credits FROM ledger WHERE entry IN ('burn', 'overage', 'denied') GROUP BY account
) AS l ON l.account = s.account
WHERE coalesce(s.credits, 0) <> coalesce(l.credits, 0)
UNION ALL
SELECT 'calls of all accounts', stated, rated
FROM
  (SELECT coalesce(sum(calls), 0) AS stated FROM statements),
  (SELECT coalesce(sum(calls), 0) AS rated FROM rated_accounts)
WHERE stated <> rated
