-- Notes that were issued in the month and correct another one.
SELECT kind, corrects_period AS corrects, currency, count(*) AS documents, sum(subtotal) AS subtotal, sum(tax) AS tax, sum(total) AS total
FROM invoices WHERE period = $period AND corrects_period <> $period
GROUP BY kind, corrects_period, currency ORDER BY corrects_period, currency, kind DESC
