-- The period's calls in the order they burn (SPEC section 6): account, posted_at, time, source, id. Numbers stand for
-- names, -1 for none; the types are those of invoice_name_type.
--
-- Late calls post at the period's first instant and have an earlier time, all others post at their time: so the order
-- of time is the order of posted_at, then time, with a shorter key. What is sorted is kept narrow, for a sort that does
-- not fit DuckDB's memory spills; numbers become wide again behind it.
SELECT
    CAST(account AS INTEGER) AS account, posted_at, CAST(source AS INTEGER) AS source, event_id,
    coalesce(CAST(operation AS INTEGER), -1) AS operation, coalesce(CAST(project AS INTEGER), -1) AS project,
    coalesce(CAST(key AS INTEGER), -1) AS key, late, credits
FROM (
    SELECT
        enum_code(CAST(account AS {{ident .account}})) AS account,
        posted_at,
        time,
        enum_code(CAST(source AS {{ident .source}})) AS source,
        event_id,
        enum_code(CAST(operation AS {{ident .operation}})) AS operation,
        enum_code(CAST(project AS {{ident .project}})) AS project,
        enum_code(CAST(key AS {{ident .key}})) AS key,
        coalesce(late, false) AS late,
        credits
    FROM rated
    WHERE held IS NULL
    ORDER BY account, time, source, event_id
)
