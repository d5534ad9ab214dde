-- What the account used in an invoice's period, by the statement of its close. A note says what it corrects line by line, and has no usage of its own.
-- Rows without an operation stand for accounts without usage.
SELECT p.doc, s.operation, s.project, s.key, s.calls, s.late_calls, s.held_calls, s.credits, s.value
FROM picked_documents AS p
JOIN statements AS s ON s.account = p.account AND s.period = p.period
WHERE p.kind = 'invoice' AND s.operation IS NOT NULL
ORDER BY p.doc, s.operation, s.project NULLS FIRST, s.key NULLS FIRST
