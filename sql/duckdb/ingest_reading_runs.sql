-- The runs that have read the objects being read again, and whether any of those
-- objects is read as it was.
SELECT objects.run, bool_or(reading.reread)
FROM objects
JOIN reading USING (source, object)
GROUP BY objects.run
ORDER BY objects.run
