-- granted = burned + expired + voided + rolled out + remaining, for every bucket (SPEC section 6); over one period what
-- it opened with counts as granted. Nothing of it is ever negative.
SELECT account, bucket_id, opening, granted, burned, expired, voided, rolled_out, remaining
FROM balances
WHERE
  opening + granted <> burned + expired + voided + rolled_out + remaining
  OR opening < 0 OR granted < 0 OR burned < 0 OR expired < 0 OR voided < 0 OR rolled_out < 0 OR remaining < 0
