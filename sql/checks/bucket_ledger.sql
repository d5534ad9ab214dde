-- Every flow of a bucket in balances is the sum of its ledger entries.
SELECT coalesce(b.bucket_id, l.bucket_id) AS bucket_id, b.granted, l.grants, b.burned, l.burns, b.expired, l.expiries,
  b.voided, l.voids, b.rolled_out, l.rolled
FROM balances AS b
FULL JOIN (
  SELECT
    bucket_id,
    coalesce(sum(credits) FILTER (entry IN ('grant', 'rollover_in')), 0) AS grants,
    coalesce(sum(credits) FILTER (entry = 'burn'), 0) AS burns,
    coalesce(sum(credits) FILTER (entry = 'expire'), 0) AS expiries,
    coalesce(sum(credits) FILTER (entry = 'void'), 0) AS voids,
    coalesce(sum(credits) FILTER (entry = 'rollover_out'), 0) AS rolled
  FROM ledger
  WHERE bucket_id IS NOT NULL
  GROUP BY bucket_id
) AS l ON l.bucket_id = b.bucket_id
WHERE
  b.bucket_id IS NULL
  OR b.granted <> coalesce(l.grants, 0) OR b.burned <> coalesce(l.burns, 0) OR b.expired <> coalesce(l.expiries, 0)
  OR b.voided <> coalesce(l.voids, 0) OR b.rolled_out <> coalesce(l.rolled, 0)
