-- The top-ups of a period ($1) that its invoices and notes have charged, which the
-- replay keeps (SPEC section 14, 30 and 44): the bucket as it was granted and, where
-- it cost something, what the lines say that sold it. Of several of one pack at one
-- instant each has its share of the units.
CREATE OR REPLACE TEMP TABLE kept_topups AS
WITH bought AS (
    SELECT b.*, g.detail AS pack
    FROM kept_balances AS b
    JOIN kept_ledger AS g ON g.account = b.account AND g.bucket_id = b.bucket_id AND g.entry = 'grant'
    WHERE b.kind = 'topup' AND b.granted > 0
),
sold AS (
    SELECT l.account, l.item, l."from", sum(l.quantity) AS quantity, min(l.unit_price) AS unit_price
    FROM sold_lines AS l
    JOIN sold_documents AS d ON d.number = l.number
    WHERE l.kind = 'topup' AND coalesce(d.corrects_period, d.period) = $1
    GROUP BY l.account, l.item, l."from"
),
together AS (
    SELECT account, pack, starts_at, count(*) AS buckets FROM bought WHERE price > 0 GROUP BY account, pack, starts_at
)
SELECT
    b.account, CAST(regexp_extract(b.bucket_id, '[0-9]+$') AS INTEGER) AS number, b.starts_at, b.expires_at, b.granted, b.pack,
    CAST(CAST(s.quantity * 1000000 AS HUGEINT) // t.buckets AS DECIMAL(32,0)) * CAST('0.000001' AS DECIMAL(6,6)) AS units,
    s.unit_price, b.price, b.currency
FROM bought AS b
LEFT JOIN together AS t ON t.account = b.account AND t.pack = b.pack AND t.starts_at = b.starts_at
LEFT JOIN sold AS s ON s.account = b.account AND s.item = b.pack AND s."from" = b.starts_at
ORDER BY b.account, number
