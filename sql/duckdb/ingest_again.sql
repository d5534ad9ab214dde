-- Where the records stand of objects that were read before, whatever they are now:
-- 0 usage, 1 an account event, 2 a reject, 3 left out by `where`.
CREATE OR REPLACE TEMP TABLE ingest_again AS
SELECT "#object", "#line", "#offset", "time", CAST(0 AS INTEGER) AS "#kind"
FROM ingest_again_batches
UNION ALL
SELECT n."#object", n."#line", n."#offset", n."time", n."#kind"
FROM ingest_other n
JOIN ingest_object o ON o.number = n."#object"
WHERE o.again AND n."#kind" <> 0
