-- The period's calls in the order they burn (SPEC section 6): account, posted_at, time, source, id. Numbers stand for
-- names, -1 for none; the types are those of invoice_name_type.
SELECT account, posted_at, source, event_id, operation, project, key, late, credits
FROM (
  SELECT
    CAST(enum_code(CAST(account AS {{ident .account}})) AS INTEGER) AS account,
    posted_at,
    time,
    CAST(enum_code(CAST(source AS {{ident .source}})) AS INTEGER) AS source,
    event_id,
    coalesce(CAST(enum_code(CAST(operation AS {{ident .operation}})) AS INTEGER), -1) AS operation,
    coalesce(CAST(enum_code(CAST(project AS {{ident .project}})) AS INTEGER), -1) AS project,
    coalesce(CAST(enum_code(CAST(key AS {{ident .key}})) AS INTEGER), -1) AS key,
    coalesce(late, false) AS late,
    credits
  FROM rated
  WHERE held IS NULL
)
ORDER BY account, posted_at, time, source, event_id
