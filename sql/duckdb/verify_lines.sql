-- All lines of documents, with the period that their document is of; NULL where there is no such document.
SELECT l.*, d.of_period
FROM labelled_lines AS l
LEFT JOIN (SELECT number, of_period FROM all_documents) AS d ON d.number = l.number
