-- What the month comes to in each currency, without tax: what was invoiced for it with the
-- notes that correct it, what it recognised as revenue, and what is deferred at its end.
SELECT currency, invoiced, revenue, use + overage + fee + other AS earned, breakage, deferred, deferred_before
FROM revenue_by_month WHERE period = $period ORDER BY currency
