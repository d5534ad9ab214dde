-- What finance books for the month, by currency: revenue by kind, and deferred revenue:
-- deferred_before + deferred_added = use + breakage + deferred.
SELECT
  currency, use, breakage, overage, fee, other, revenue, invoiced, deferred_before, deferred_added, deferred
FROM revenue_by_month WHERE period = $period ORDER BY currency
