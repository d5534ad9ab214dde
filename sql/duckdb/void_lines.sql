-- Where the calls stand that leave at once, and the content they were read from.
SELECT v.source, v.object, v.read_by, o.identity, v.line
FROM voiding v
JOIN objects o ON o.source = v.source AND o.object = v.object AND o.run = v.read_by
WHERE NOT v."#pending"
ORDER BY v.source, v.object, v.read_by, v.line
