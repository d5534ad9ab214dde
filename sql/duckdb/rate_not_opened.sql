-- Whether any call of the batch is of an account that is not opened in time.
-- Reading one column finds that out sooner than the join in the rating SELECT.
SELECT EXISTS (
  SELECT 1 FROM (SELECT DISTINCT account FROM usage_batch)
  WHERE account NOT IN (SELECT account FROM opened_accounts WHERE opened_at < CAST(? AS TIMESTAMP))
)
