-- What a forget has kept of the customers of the picked documents. A note that was issued since the forget has nothing
-- of its own: it is for whom the invoice that it corrects is for.
SELECT p.doc, coalesce(o.account, c.account) AS account, coalesce(o.party, c.party) AS party, o.number IS NOT NULL AS own
FROM picked_documents AS p
LEFT JOIN kept_parties AS o ON o.number = p.number
LEFT JOIN kept_parties AS c ON c.number = p.corrects
WHERE o.number IS NOT NULL OR c.number IS NOT NULL
ORDER BY p.doc
