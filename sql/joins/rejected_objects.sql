-- Which share of its object each reject is of. An object that changed was read several times: all of its records.
SELECT r.source, r.object, r.line, r.reason, o.rejects, o.records
FROM rejected AS r
JOIN (SELECT source, object, CAST(sum(rejects) AS BIGINT) AS rejects, CAST(sum(records) AS BIGINT) AS records FROM objects GROUP BY source, object) AS o
  ON o.source = r.source AND o.object = r.object
ORDER BY r.source, r.object, r.line, r.reason
