-- How many documents were picked of each period.
SELECT period, count(*)
FROM picked_documents
GROUP BY period
ORDER BY period
