-- An account's calls of a period as `export usage` writes them, in the order they burn.
-- Who paid is known once the period is closed. Nearly every call has one payer: only
-- where a bucket or a limit ran out are there several, and only for those are lists
-- gathered, which DuckDB keeps in memory. Where late calls of one id came from several
-- months, their burns do not tell whose they are, and neither does this.
{{- if .Closed}}
WITH burned AS (
    SELECT
        source, event_id, posted_at, bucket_id, kind, credits,
        CAST(to_json({'kind': kind, 'bucket_id': bucket_id, 'credits': CAST(credits AS VARCHAR)}) AS VARCHAR) AS part
    FROM exported_burns
    WHERE account = $1
), several AS (
    SELECT source, event_id, posted_at FROM burned GROUP BY source, event_id, posted_at HAVING count(*) > 1
), shared AS (
    SELECT
        source, event_id, posted_at, sum(credits) AS credits,
        '[' || string_agg(part, ',' ORDER BY bucket_id IS NULL, kind, bucket_id) || ']' AS paid
    FROM burned SEMI JOIN several USING (source, event_id, posted_at)
    GROUP BY source, event_id, posted_at
), paid AS (
    SELECT source, event_id, posted_at, credits, '[' || part || ']' AS paid
    FROM burned ANTI JOIN several USING (source, event_id, posted_at)
    UNION ALL
    SELECT source, event_id, posted_at, credits, paid FROM shared
)
{{- end}}
SELECT
    r.time, r.posted_at, r.late, r.operation, r.project, r.key, r.event_id, r.source,
    {{- range .Columns}} r.{{ident .Name}},{{end}}
    r.price_table, r.price_version, r.rule, r.credits, r.held,
{{- if .Closed}}
    CASE WHEN r.credits = 0 THEN '[]' WHEN p.credits = r.credits THEN p.paid END AS {{ident .PaidBy}}
FROM exported AS r
LEFT JOIN paid AS p ON p.source = r.source AND p.event_id = r.event_id AND p.posted_at = r.posted_at
{{- else}}
    CAST(NULL AS VARCHAR) AS {{ident .PaidBy}}
FROM exported AS r
{{- end}}
WHERE r.account = $1
ORDER BY r.posted_at, r.time, r.source, r.event_id
