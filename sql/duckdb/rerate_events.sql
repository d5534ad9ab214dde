-- The account events of a replay: those from its first instant ($1) to the open
-- period's start ($2) act where they happened, whenever they came (SPEC section 8).
-- One that names another currency than the account was charged in stays where it is:
-- the currency is fixed, however late the news (SPEC section 14, 37).
{{- if .Unknown}}
-- What calls had implied of accounts that nobody opened is not known any more: the
-- replay finds it out anew.
{{- end}}
WITH charged AS (
    SELECT account, min(currency) AS currency
    FROM (SELECT account, currency FROM sold_documents UNION ALL SELECT account, currency FROM priced_balances WHERE price <> 0)
    GROUP BY account
)
SELECT e.* REPLACE (
    CASE
        WHEN e.type IN ('account.opened', 'account.updated') AND e.posted_at <> e."at" AND c.currency <> e.payload ->> '$.currency' THEN e.posted_at
        WHEN e."at" >= $1 AND e."at" < $2 THEN e."at"
        ELSE e.posted_at
    END AS posted_at
)
FROM live_events AS e
LEFT JOIN charged AS c ON c.account = e.account
{{- if .Unknown}}
WHERE NOT (e.event_id IN ({{literal .Opened}}, {{literal .Started}}) AND e."at" >= $1 AND e."at" < $2)
{{- end}}
ORDER BY e.account, e."at", e.event_id
