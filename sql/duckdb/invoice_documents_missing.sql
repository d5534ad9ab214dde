-- The numbers of a list ($1), one a line, that no invoice or note has.
SELECT asked.number
FROM (SELECT unnest(string_split($1, chr(10))) AS number) AS asked
LEFT JOIN picked_documents AS p ON p.number = asked.number
WHERE p.number IS NULL
ORDER BY asked.number
