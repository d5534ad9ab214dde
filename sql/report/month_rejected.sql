-- Records that became no call, by reason and source: by the UTC day of their time, or of the
-- run where they have none. Duplicates and voided calls block no close.
WITH refused AS (
  SELECT reason, source, count(*) AS records, count(DISTINCT object) AS objects FROM rejected WHERE day LIKE $period || '-%' GROUP BY reason, source
)
SELECT
  reason, source, records, objects,
  CASE reason
    WHEN 'duplicate' THEN 'nothing: a copy of a call that counts'
    WHEN 'voided' THEN 'nothing: taken back by void'
    WHEN 'conflict' THEN 'find out which copy is right: the earliest has counted'
    WHEN 'malformed' THEN 'mend the writer of the log, or the field path'
    WHEN 'truncated' THEN 'deliver the object whole: it is read again'
    WHEN 'too_long' THEN 'shorten the log line'
    WHEN 'missing_field' THEN 'check the mapping with try; a constant, or where'
    WHEN 'bad_id' THEN 'mend the writer: over 256 bytes, or control characters'
    WHEN 'bad_time' THEN 'set layout and zone'
    WHEN 'bad_number' THEN 'type: decimal, or mend the writer'
    WHEN 'negative_quantity' THEN 'mend the writer'
    WHEN 'number_overflow' THEN 'look at the line'
    WHEN 'future' THEN 'check the clocks, or widen accept'
    WHEN 'too_old' THEN 'accept: past: none for a backfill'
    ELSE 'see creditmill rejects'
  END AS what_to_do,
  least((SELECT count(*) FROM refused), 30) AS shown, (SELECT count(*) FROM refused) AS "of"
FROM refused ORDER BY records DESC, reason, source LIMIT 30
