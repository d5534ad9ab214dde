-- In the table objects, calls that leave are rejects of the reading that brought them.
INSERT INTO recount
SELECT source, object, run, -count(*), count(*), 0 FROM leaving GROUP BY ALL
