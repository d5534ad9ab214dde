-- What the calls looked for are: of which sources and, of an id, of which accounts
-- and times.
SELECT DISTINCT source{{if not .Object}}, account, "time"{{else}}, '' AS account, TIMESTAMP '1970-01-01' AS "time"{{end}}
FROM (
    SELECT source, account, "time" FROM void_found
    UNION ALL
    SELECT source, account, "time" FROM void_known
)
ORDER BY ALL
