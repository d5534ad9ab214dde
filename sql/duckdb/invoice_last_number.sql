-- The highest sequence number issued between this prefix and suffix; NULL without any.
SELECT max(TRY_CAST(seq AS BIGINT))
FROM (
  SELECT substr(number, length($1) + 1, length(number) - length($1) - length($2)) AS seq
  FROM issued
  WHERE starts_with(number, $1) AND suffix(number, $2) AND length(number) > length($1) + length($2)
)
WHERE regexp_full_match(seq, '[0-9]+')
