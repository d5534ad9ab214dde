-- What a period's burn-down burns: its rated calls, without those that are held.
SELECT * FROM period_rated WHERE held IS NULL
