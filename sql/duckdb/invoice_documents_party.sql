-- What the account said about itself before the invoice's period ended, or before a note was issued, as it was known
-- when the document was issued, in the order it counts: account.opened goes first at one instant (SPEC section 6).
SELECT p.doc, e.payload
FROM picked_documents AS p
JOIN periods AS q ON q.period = p.period
JOIN party_events AS e ON e.account = p.account AND p.run BETWEEN e.first_run AND e.last_run
  AND e.posted_at < CASE WHEN p.kind = 'invoice' THEN q."end" ELSE least(q."end", p.issued_at) END
WHERE e.held IS NULL AND e.type IN ('account.opened', 'account.updated')
ORDER BY p.doc, e.posted_at, e.type <> 'account.opened', e."at", e.event_id
