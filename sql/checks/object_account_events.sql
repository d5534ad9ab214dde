-- The objects that gave no usage gave the account events, but for those that an account's first call stood for.
SELECT given, there
FROM
  (SELECT coalesce(sum(events), 0) AS given FROM all_objects ANTI JOIN all_usage USING (source, object)),
  (SELECT count(*) AS there FROM all_account_events WHERE NOT starts_with(event_id, 'first-call/'))
WHERE given <> there
