-- The days that have rejects.
SELECT CAST(day AS VARCHAR) FROM ingest_reject GROUP BY day ORDER BY day
