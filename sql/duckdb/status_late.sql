-- Late usage that counts in the open period, by the closed period that it happened in:
-- what a re-rate would take home. Held calls are counted as held.
SELECT closed_periods.period, count(*) AS calls, CAST(sum(credits) AS VARCHAR) AS credits
FROM late_rated
JOIN closed_periods ON time >= starts AND time < ends
WHERE late AND held IS NULL
GROUP BY closed_periods.period
ORDER BY closed_periods.period
