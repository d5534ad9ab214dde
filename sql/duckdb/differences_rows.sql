-- The differences that a report is about: all of them, or those of one account. `part`
-- is what a row adds to: the measure of credits, and of money the subtotal or the tax.
-- A draft of today's configuration has no name.
CREATE OR REPLACE TEMP VIEW difference_rows AS
SELECT
    coalesce(draft, '') AS draft, period, account, measure, item, unit, "before", "after", "after" - "before" AS change, calls, cause,
    CASE WHEN unit = 'credits' THEN measure WHEN measure = 'tax' THEN 'tax' ELSE 'subtotal' END AS part
FROM differences
{{- if .Account}}
WHERE account = {{literal .Account}}
{{- end}}
