-- The numbers of a close go in the order of accounts (SPEC section 7, Invoice lines), by the names that they had then: a
-- forget keeps those for documents that were issued before it.
WITH placed AS (
  SELECT
    d.run, coalesce(k.account, d.account) AS account, d.number,
    TRY_CAST(substr(d.number, length(s.starts) + 1, length(d.number) - length(s.starts) - length(s.ends)) AS BIGINT) AS seq
  FROM all_documents AS d
  JOIN series AS s ON s.run = d.run AND s.kind = d.kind
  LEFT JOIN kept_parties AS k ON k.number = d.number
  WHERE d.kind = 'invoice'
), ordered AS (
  SELECT run, account, number, lag(account) OVER (PARTITION BY run ORDER BY seq) AS account_before FROM placed
)
SELECT run, account_before, account, number FROM ordered WHERE account_before >= account
