-- How many documents were picked of each period, and of each run that issued them.
SELECT period, run, count(*)
FROM picked_documents
GROUP BY ALL
ORDER BY period, run
