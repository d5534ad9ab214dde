-- What each closed month recognised as revenue, by its kind.
SELECT currency, kind, sum(amount) AS amount, period
FROM revenue
GROUP BY currency, kind, period
