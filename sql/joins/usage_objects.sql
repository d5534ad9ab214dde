-- Where each call stands. An object that changed was read several times: its newest reading.
SELECT u.account, u.event_id, u.object, u.line, o.bytes, o.records, o.run
FROM usage AS u
JOIN (SELECT source, object, arg_max(bytes, run) AS bytes, arg_max(records, run) AS records, max(run) AS run FROM objects GROUP BY source, object) AS o
  ON o.source = u.source AND o.object = u.object
ORDER BY u.source, u.object, u.line, u.event_id
