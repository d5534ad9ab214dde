-- A record whose former reject a close has accepted is rejected for another reason
-- now: that is accepted too.
UPDATE ingest_reject SET accepted = true
WHERE EXISTS (
    SELECT 1 FROM ingest_superseded s
    WHERE s."#object" = ingest_reject."#object" AND s.line = ingest_reject.line AND s.accepted)
