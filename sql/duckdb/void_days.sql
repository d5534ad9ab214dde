-- The UTC days of the calls taken back, with how many wait for a re-rate.
SELECT strftime("time", '%Y-%m-%d') AS day, count(*) FILTER (WHERE "#pending"), min("time"), max("time")
FROM voiding
GROUP BY day
ORDER BY day
