-- How many calls leave, by the UTC day of their time and the run that brought them.
SELECT strftime("time", '%Y-%m-%d') AS day, run, count(*)
FROM leaving
GROUP BY ALL
ORDER BY ALL
