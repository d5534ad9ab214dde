-- All documents, with the period each is of, the one it was issued in, and the run that issued it.
SELECT
  * EXCLUDE ("#label"),
  coalesce(corrects_period, split_part("#label", ' ', 1)) AS of_period,
  split_part("#label", ' ', 1) AS in_period,
  CAST(split_part("#label", ' ', 2) AS BIGINT) AS run
FROM labelled_documents
