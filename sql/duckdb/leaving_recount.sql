-- In the table objects, calls that leave are rejects of the reading that brought them.
SELECT source, object, run, -count(*) AS events, count(*) AS rejects, 0 AS skipped FROM leaving GROUP BY ALL
