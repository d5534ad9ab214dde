-- The days that have rejects, those apart that count as accepted.
SELECT CAST(day AS VARCHAR), accepted FROM ingest_reject GROUP BY ALL ORDER BY ALL
