-- What a change of prices does to all of a period's calls. An account is touched
-- where the credits of at least one of its calls change.
SELECT
    CAST(coalesce(sum(calls), 0) AS BIGINT), CAST(coalesce(sum(changed), 0) AS BIGINT),
    CAST(coalesce(sum(credits_before), 0) AS VARCHAR), CAST(coalesce(sum(credits_after), 0) AS VARCHAR),
    count(DISTINCT account), count(DISTINCT account) FILTER (WHERE changed > 0)
FROM price_changes
