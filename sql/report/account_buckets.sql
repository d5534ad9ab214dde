-- An account's buckets in a month in the order in which they pay, as far as 40 of them; the others in one row, and the
-- sum of all. start + granted = used + gone + left: what is gone has expired, rolled over or was taken back.
WITH ordered AS (
  SELECT
    row_number() OVER (ORDER BY priority, expires_at NULLS LAST, starts_at, bucket_id) AS place,
    CASE
      WHEN kind = 'allowance' AND priority < 40 THEN 'Allowance of the plan before'
      WHEN kind = 'allowance' THEN 'Allowance'
      WHEN kind = 'rollover' THEN 'Rolled over'
      WHEN kind = 'pack' THEN 'Pack'
      WHEN kind = 'topup' THEN 'Top-up'
      WHEN kind = 'promotion' THEN 'Promotion'
      ELSE 'Brought over'
    END AS bucket,
    starts_at, expires_at, opening, granted, burned, expired + voided + rolled_out AS gone, remaining
  FROM balances WHERE account = $account AND period = $period
),
shown AS (
  SELECT
    place, bucket, CAST({{.LocalAtAnyTime "starts_at"}} AS DATE) AS from_day, coalesce(CAST(CAST({{.LocalAtAnyTime "expires_at"}} AS DATE) AS VARCHAR), 'never') AS expires,
    opening, granted, burned, gone, remaining
  FROM ordered WHERE place <= 40
  UNION ALL
  SELECT
    CAST(9000000000 AS BIGINT), 'and ' || CAST(count(*) AS VARCHAR) || ' more', NULL, NULL,
    sum(opening), sum(granted), sum(burned), sum(gone), sum(remaining)
  FROM ordered WHERE place > 40 HAVING count(*) > 0
  UNION ALL
  SELECT CAST(9000000001 AS BIGINT), 'All', NULL, NULL, sum(opening), sum(granted), sum(burned), sum(gone), sum(remaining)
  FROM ordered HAVING count(*) > 1
)
SELECT
  bucket, from_day AS "from", expires, CAST(opening AS DECIMAL(38,6)) AS at_start, CAST(granted AS DECIMAL(38,6)) AS granted,
  CAST(burned AS DECIMAL(38,6)) AS used, CAST(gone AS DECIMAL(38,6)) AS gone, CAST(remaining AS DECIMAL(38,6)) AS "left"
FROM shown
ORDER BY place
