-- What settling did to each object.
SELECT "#object", "#kind", outcome, count(*)
FROM ingest_settled
GROUP BY ALL
ORDER BY ALL
