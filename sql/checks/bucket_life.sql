-- granted = burned + expired + voided + rolled out + remaining, for every bucket over its life (SPEC section 6): over all
-- closed periods, with what it held after the last one that has it. A bucket that has no row any more holds nothing.
WITH lives AS (
  SELECT
    bucket_id, any_value(account) AS account, count(DISTINCT account) AS accounts, count(DISTINCT kind) AS kinds,
    sum(granted) AS granted, sum(burned) AS burned, sum(expired) AS expired, sum(voided) AS voided,
    sum(rolled_out) AS rolled_out, arg_max(remaining, period) AS remaining, max(period) AS period
  FROM closed_balances
  GROUP BY bucket_id
)
SELECT *
FROM lives
WHERE
  granted <> burned + expired + voided + rolled_out + remaining
  OR accounts <> 1 OR kinds <> 1
  OR (remaining <> 0 AND period <> (SELECT period FROM last_closed))
