-- What bare DuckDB does with the benchmark's logs: its own typed reader, and the
-- columns of `usage` that it can know. It neither validates nor deduplicates nor
-- sorts, and knows no line numbers: the yardstick for ingest, not a replacement.
SELECT
    request_id AS event_id, org AS account, project, auth.key_id AS "key", operation, ts AS "time",
    params.quality, params.size, model, status,
    params.n AS images, params.pages, "usage".input_tokens, "usage".output_tokens, "usage".seconds, duration_ms, bytes
FROM read_json({{.Files}},
    format = 'newline_delimited', compression = 'gzip', ignore_errors = true,
    columns = {
        ts: 'TIMESTAMP', request_id: 'VARCHAR', org: 'VARCHAR', project: 'VARCHAR',
        auth: 'STRUCT(key_id VARCHAR)', operation: 'VARCHAR',
        params: 'STRUCT(quality VARCHAR, size VARCHAR, n BIGINT, pages BIGINT)', model: 'VARCHAR',
        "usage": 'STRUCT(input_tokens BIGINT, output_tokens BIGINT, seconds DECIMAL(18,6))',
        duration_ms: 'BIGINT', bytes: 'BIGINT', status: 'VARCHAR'
    })
