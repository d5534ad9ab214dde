-- Calls that are held in the month, by reason. They block its close, and `creditmill held`
-- says of each what to write. From `rated`; a close moves what is held on.
SELECT
  held AS reason, count(*) AS calls, count(DISTINCT account) AS accounts, count(DISTINCT operation) AS operations, min("time") AS first, max("time") AS last,
  CASE held
    WHEN 'no_rule' THEN 'write a price-table version with a rule for these calls, then rate'
    WHEN 'null_quantity' THEN 'write a version with a rule for calls without the quantity, then rate'
    WHEN 'unlisted_value' THEN 'write a version that lists the value, or has otherwise, then rate'
    WHEN 'beyond_last_step' THEN 'write a version whose last step has no up_to, then rate'
    WHEN 'overflow' THEN 'look at the calls; a maximum in a new version caps them'
    WHEN 'account_not_opened' THEN 'send account.opened, or set accounts: unknown to a plan'
    ELSE 'see creditmill held'
  END AS what_to_do
FROM rated WHERE period = $period AND held IS NOT NULL GROUP BY held ORDER BY calls DESC, held
