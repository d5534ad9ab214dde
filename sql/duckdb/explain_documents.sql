-- The documents of an account ($1), oldest first; or, without an account, the one of a
-- number ($2).
SELECT
    number, kind, account, currency, CAST(subtotal AS VARCHAR) AS subtotal, CAST(tax AS VARCHAR) AS tax, CAST(total AS VARCHAR) AS total,
    issued_at, corrects, corrects_period, "#place" AS place
FROM explain_invoices
WHERE account = $1 OR $1 = '' AND number = $2
ORDER BY issued_at, number
