-- What differs in the credits of a period's calls ($2, from $3 to $4), by account and
-- cause: calls that stood in it and cost something else; calls that came home into
-- it; those that went home from it; and those that were voided.
INSERT INTO differences
SELECT
    $1, $2, account, 'rated', NULL, 'credits', sum("before"), sum("after"), count(*), cause
FROM (
    SELECT
        account, credits AS "after",
        CASE WHEN _posted_before >= $3 AND _posted_before < $4 THEN _credits_before ELSE CAST(0 AS DECIMAL(18,6)) END AS "before",
        CASE WHEN _posted_before >= $3 AND _posted_before < $4 THEN 'price' ELSE 'late usage' END AS cause
    FROM replayed_calls
    UNION ALL
    SELECT account, CAST(0 AS DECIMAL(18,6)), _credits_before, 'late usage'
    FROM calls_elsewhere
    WHERE _posted_before >= $3 AND _posted_before < $4
    UNION ALL
    SELECT account, CAST(0 AS DECIMAL(18,6)), credits, 'void'
    FROM voided_calls
    WHERE period = $2
)
WHERE "before" <> "after"
GROUP BY account, cause
