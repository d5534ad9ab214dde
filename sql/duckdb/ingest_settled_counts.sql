-- What settling did to each object.
SELECT s."#object", n."#kind", s.outcome, count(*)
FROM ingest_settled s
JOIN ingest_spool n ON n."#object" = s."#object" AND n."#line" = s."#line"
GROUP BY ALL
ORDER BY ALL
