-- The charges of a period ($2) that differ from what its invoices and notes add up
-- to, with why. Calls change what is topped up and overage; what comes of no reason
-- that is known is knock-on where an earlier replayed period differs, or had a reason
-- to, else of a price; a line whose unit price differs is of a price in any case. Of
-- several documents the last says the unit price and the tax, the first what any other
-- line is for, without what a note has put before it.
INSERT INTO changed_lines
WITH sold AS (
    SELECT
        l.*,
        CASE WHEN l.cause IS NULL THEN l.description ELSE regexp_replace(l.description, '^(Corrected|No longer due): ', '') END AS words
    FROM sold_lines AS l
),
live AS (
    SELECT
        l.account, l.currency, l.kind, CASE WHEN l.kind <> 'tax' THEN l.item END AS item, l."from", l."to",
        arg_max(l.item, (d.kind <> 'invoice', d.issued_at, d.number)) AS label,
        coalesce(
            arg_max(l.words, (d.kind <> 'invoice', d.issued_at, d.number)) FILTER (l.kind = 'tax'),
            arg_min(l.words, (d.kind <> 'invoice', d.issued_at, d.number))) AS description,
        sum(l.quantity) AS quantity, arg_max(l.unit_price, (d.kind <> 'invoice', d.issued_at, d.number, l.unit_price)) AS unit_price,
        sum(l.amount) AS amount, arg_max(l.tax_rate, (d.kind <> 'invoice', d.issued_at, d.number)) AS tax_rate
    FROM sold AS l
    JOIN sold_documents AS d ON d.number = l.number
    WHERE coalesce(d.corrects_period, d.period) = $2
    GROUP BY ALL
),
replayed AS (
    SELECT
        account, currency, kind, CASE WHEN kind <> 'tax' THEN item END AS item, "from", "to",
        max(item) AS label, min(description) AS description, sum(quantity) AS quantity, max(unit_price) AS unit_price, sum(amount) AS amount,
        max(tax_rate) AS tax_rate
    FROM replayed_lines
    GROUP BY ALL
),
differing AS (
    SELECT
        coalesce(n.account, o.account) AS account, coalesce(n.currency, o.currency) AS currency, coalesce(n.kind, o.kind) AS kind,
        coalesce(n.label, o.label) AS item, n.account IS NULL AS gone, o.account IS NULL OR o.amount = 0 AS added,
        coalesce(n.kind IN ('fee', 'pack', 'overage') AND n.unit_price <> o.unit_price, false) AS repriced,
        coalesce(n.description, o.description) AS description,
        coalesce(n.quantity, 0) - coalesce(o.quantity, 0) AS quantity, coalesce(n.unit_price, o.unit_price) AS unit_price,
        coalesce(o.amount, 0) AS "before", coalesce(n.amount, 0) AS "after", coalesce(n.tax_rate, o.tax_rate) AS tax_rate,
        coalesce(n."from", o."from") AS "from", coalesce(n."to", o."to") AS "to"
    FROM replayed AS n
    FULL JOIN live AS o
        ON o.account = n.account AND o.currency = n.currency AND o.kind = n.kind AND o.item IS NOT DISTINCT FROM n.item
        AND o."from" = n."from" AND o."to" = n."to"
    WHERE coalesce(n.amount, 0) <> coalesce(o.amount, 0)
),
changed AS ( -- lines that add up to nothing change no charges, and wait for a note that others bring
    SELECT d.*
    FROM differing AS d
    SEMI JOIN (
        SELECT account, currency
        FROM differing
        GROUP BY account, currency
        HAVING coalesce(sum("after" - "before") FILTER (kind <> 'tax'), 0) <> 0 OR coalesce(sum("after" - "before") FILTER (kind = 'tax'), 0) <> 0
    ) AS noted ON noted.account = d.account AND noted.currency = d.currency
),
known AS (
    SELECT
        account, bool_or(reason = 'price') AS price, bool_or(reason = 'late usage') AS late, bool_or(reason = 'void') AS void,
        bool_or(reason = 'account event') AS event, bool_or(reason = 'knock-on') AS knock_on
    FROM reasons
    WHERE draft = $1 AND period = $2
    GROUP BY account
),
earlier AS (
    SELECT account FROM differences WHERE period < $2 AND draft IS NOT DISTINCT FROM $3
    UNION
    SELECT account FROM reasons WHERE draft = $1 AND period < $2
),
caused AS (
    SELECT
        c.*,
        concat_ws(', ',
            CASE WHEN c.repriced OR k.price AND c.kind IN ('topup', 'overage') THEN 'price' END,
            CASE WHEN k.late AND c.kind IN ('topup', 'overage') THEN 'late usage' END,
            CASE WHEN k.void AND c.kind IN ('topup', 'overage') THEN 'void' END,
            CASE WHEN k.event THEN 'account event' END,
            CASE WHEN k.knock_on AND c.kind <> 'charge' THEN 'knock-on' END) AS cause,
        e.account IS NOT NULL AS after_others
    FROM changed AS c
    LEFT JOIN known AS k ON k.account = c.account
    LEFT JOIN earlier AS e ON e.account = c.account
    WHERE c.kind <> 'tax'
),
named AS (
    SELECT * REPLACE (CASE WHEN cause <> '' THEN cause WHEN after_others THEN 'knock-on' ELSE 'price' END AS cause)
    FROM caused
),
taxed AS ( -- tax changes with the charges it is on, or because an account event changed it
    SELECT
        account, currency,
        concat_ws(', ',
            CASE WHEN bool_or(contains(cause, 'price')) THEN 'price' END,
            CASE WHEN bool_or(contains(cause, 'late usage')) THEN 'late usage' END,
            CASE WHEN bool_or(contains(cause, 'void')) THEN 'void' END,
            CASE WHEN bool_or(contains(cause, 'account event')) THEN 'account event' END,
            CASE WHEN bool_or(contains(cause, 'knock-on')) THEN 'knock-on' END) AS cause
    FROM named
    GROUP BY account, currency
)
SELECT
    $1, $2, account, currency, kind, item, CASE WHEN gone THEN concat('No longer due: ', description) WHEN added THEN description ELSE concat('Corrected: ', description) END,
    quantity, unit_price, "before", "after", tax_rate, "from", "to", cause
FROM named
UNION ALL
SELECT
    $1, $2, c.account, c.currency, c.kind, c.item, CASE WHEN c.gone THEN concat('No longer due: ', c.description) ELSE c.description END,
    CAST(1 AS DECIMAL(38,6)), CAST(c."after" - c."before" AS DECIMAL(38,12)), c."before", c."after", c.tax_rate, c."from", c."to",
    coalesce(t.cause, 'account event')
FROM changed AS c
LEFT JOIN taxed AS t ON t.account = c.account AND t.currency = c.currency
WHERE c.kind = 'tax'
