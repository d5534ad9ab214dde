-- What else differs in a period ($2): its charges, and what its ledger and balances
-- say of credits.
INSERT INTO differences
WITH known AS (
    SELECT
        account,
        concat_ws(', ',
            CASE WHEN bool_or(reason = 'price') THEN 'price' END,
            CASE WHEN bool_or(reason = 'late usage') THEN 'late usage' END,
            CASE WHEN bool_or(reason = 'void') THEN 'void' END,
            CASE WHEN bool_or(reason = 'account event') THEN 'account event' END,
            CASE WHEN bool_or(reason = 'knock-on') THEN 'knock-on' END) AS cause
    FROM reasons
    WHERE draft = $1 AND period = $2
    GROUP BY account
),
earlier AS (
    SELECT account FROM differences WHERE period < $2 AND draft IS NOT DISTINCT FROM $3
    UNION
    SELECT account FROM reasons WHERE draft = $1 AND period < $2
),
flows AS (
    SELECT account, CASE entry WHEN 'expire' THEN 'expired' ELSE entry END AS measure, -credits AS "before", 0 AS "after"
    FROM live_ledger WHERE entry IN ('overage', 'denied', 'expire')
    UNION ALL
    SELECT account, CASE entry WHEN 'expire' THEN 'expired' ELSE entry END, 0, credits
    FROM replayed_ledger WHERE entry IN ('overage', 'denied', 'expire')
    UNION ALL
    SELECT account, 'balance', -remaining, 0 FROM live_balances
    UNION ALL
    SELECT account, 'balance', 0, remaining FROM replayed_balances
),
summed AS (
    SELECT account, measure, -sum("before") AS "before", sum("after") AS "after"
    FROM flows
    GROUP BY account, measure
    HAVING sum("before") + sum("after") <> 0
)
SELECT
    $3, $2, s.account, s.measure, NULL, 'credits', s."before", s."after", 0,
    CASE WHEN k.cause <> '' THEN k.cause WHEN e.account IS NOT NULL THEN 'knock-on' ELSE 'price' END
FROM summed AS s
LEFT JOIN known AS k ON k.account = s.account
LEFT JOIN earlier AS e ON e.account = s.account
UNION ALL
SELECT
    $3, period, account, CASE kind WHEN 'overage' THEN 'overage_charge' ELSE kind END, item, currency,
    CAST(sum("before") AS DECIMAL(38,6)), CAST(sum("after") AS DECIMAL(38,6)), 0, cause -- else DuckDB rounds the credits above to 4 digits
FROM changed_lines
WHERE draft = $1 AND period = $2
GROUP BY ALL
HAVING sum("before") <> sum("after")
