package duck_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creditmill/creditmill/internal/duck"
)

// queries are what people write; live is a view, and so is other.
var queries = []string{
	"SELECT 1", "select 1;", "FROM range(3)", "WITH a AS (SELECT 1) SELECT * FROM a", "VALUES (1)", "TABLE live",
	"EXPLAIN SELECT 1", "EXPLAIN ANALYZE SELECT n FROM live", "explain (format json) SELECT 1", "-- why\nSELECT 1", "/* why */ (SELECT 1)",
	"DESCRIBE SELECT 1", "DESCRIBE live", "SHOW TABLES", "SHOW ALL TABLES", "SUMMARIZE live", "SUMMARIZE SELECT n FROM live", "EXPLAIN SUMMARIZE live",
	"FROM live", "FROM Live SELECT n", `SELECT * FROM "live"`, "SELECT * FROM temp.live", "SELECT live.n FROM live", "SELECT l.* FROM live AS l",
	"SELECT * FROM live JOIN other USING (n)", "SELECT * FROM live POSITIONAL JOIN other", "SELECT * FROM live ASOF JOIN other ON live.n >= other.n", "FROM live SEMI JOIN other USING (n)",
	"SELECT * FROM live UNION ALL BY NAME SELECT * FROM other", "SELECT n FROM live EXCEPT SELECT n FROM other", "SELECT count(*) FROM live WHERE n IN (SELECT n FROM other)",
	"SELECT (SELECT max(n) FROM other o WHERE o.n <= live.n) FROM live", "SELECT * FROM live, LATERAL (SELECT live.n + 1) x(m)", "SELECT * FROM live WHERE EXISTS (FROM other)",
	"SELECT * FROM generate_series(1, 3) t(x)", "SELECT * FROM generate_series(DATE '2026-10-01', DATE '2026-10-31', INTERVAL 1 DAY)", "SELECT * FROM unnest([1, 2]) u(x)", "SELECT unnest(['a', 'b'])",
	"SELECT * FROM live, unnest([n, n + 1]) u(x)", `SELECT * FROM json_each('{"a": 1}')`, "SELECT * FROM repeat(1, 3)",
	"WITH a AS (SELECT n FROM live), b AS (SELECT max(n) m FROM a) SELECT * FROM a, b", "WITH live AS (SELECT n + 1 AS n FROM live) SELECT * FROM live",
	"WITH RECURSIVE a AS (SELECT 1 x UNION ALL SELECT x + 1 FROM a WHERE x < 3) SELECT * FROM a",
	"WITH RECURSIVE a(x, y) USING KEY (x) AS (SELECT 1, 1 UNION (SELECT a.x, a.y + 1 FROM a, recurring.a r WHERE a.y < 3)) SELECT * FROM a",
	"WITH a AS MATERIALIZED (WITH b AS (FROM live) FROM b) SELECT * FROM (WITH c AS (FROM a) FROM c)", "SELECT * FROM (WITH a AS (SELECT 1) FROM a) UNION ALL (WITH b AS (SELECT 2) FROM b)",
	"PIVOT live ON t IN ('a', 'b') USING sum(n)", "SELECT * FROM live PIVOT (sum(n) FOR t IN ('a'))", "UNPIVOT live ON n INTO NAME k VALUE v", "FROM (PIVOT live ON t IN ('a') USING count(*))",
	"SELECT t, sum(n) OVER (PARTITION BY t ORDER BY n) FROM live QUALIFY row_number() OVER (PARTITION BY t) = 1", "SELECT * EXCLUDE (t) FROM live", "SELECT COLUMNS('n.*') FROM live",
	"SELECT list_transform([n], x -> x + 1), [x * 2 for x in [n]], {'type': 'BASE_TABLE', 'table_name': '/etc/passwd'} FROM live", "SELECT strftime(TIMESTAMP '2026-10-01', '%Y'), now() < TIMESTAMPTZ '2000-01-01', regexp_replace(t, 'a', 'b') FROM live",
	"SELECT t, histogram(n), approx_quantile(n, 0.5), arg_max(t, n) FROM live GROUP BY CUBE (t) HAVING count(*) > 0 ORDER BY ALL LIMIT (SELECT 5)", "SELECT * FROM live USING SAMPLE 10 ROWS",
	"SELECT 'read_csv(''/etc/passwd'')' AS t -- COPY live TO 'x.csv'; DROP TABLE live", "SELECT /* FROM '/etc/passwd' */ n FROM live;", "SELECT $$; COPY live TO 'x.csv'$$",
	"SELECT table_name, column_name, data_type FROM information_schema.columns", "SELECT '\x01é' AS \"; drop\"",
}

func TestQueriesThatPeopleWriteAreRun(t *testing.T) {
	t.Parallel()
	s := openLive(t, t.TempDir())
	for _, text := range queries {
		if err := s.CheckReadOnly(t.Context(), text); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		rows, err := s.Rows(t.Context(), text)
		values(t, rows, err)
	}
}

// statements are all that is no SELECT; FILE stands for a file in a folder that the
// session may write to.
var statements = []string{
	"COPY (SELECT 1) TO FILE", "COPY live TO FILE (FORMAT parquet)", "COPY t FROM FILE", "COPY FROM DATABASE memory TO other", "ATTACH FILE", "ATTACH ':memory:' AS other", "DETACH memory", "USE memory",
	"SET memory_limit = '1GB'", "SET GLOBAL threads = 1", "RESET threads", "PRAGMA version", "PRAGMA enable_profiling", "PRAGMA database_list", "INSTALL httpfs", "LOAD parquet", "FORCE INSTALL httpfs", "UPDATE EXTENSIONS",
	"CALL pragma_version()", "CALL enable_logging('QueryLog')", "EXPORT DATABASE FILE", "IMPORT DATABASE FILE", "CREATE TABLE x (a INTEGER)", "CREATE TABLE x AS SELECT 1", "CREATE OR REPLACE TEMP VIEW live AS SELECT 2 AS n, 'b' AS t",
	"CREATE MACRO f(x) AS x", "CREATE SECRET (TYPE s3)", "CREATE SCHEMA x", "CREATE TYPE mood AS ENUM ('a')", "CREATE SEQUENCE x", "INSERT INTO t VALUES (1)", "INSERT INTO t SELECT n FROM live", "UPDATE t SET a = 1", "DELETE FROM t", "TRUNCATE t",
	"MERGE INTO t USING live ON t.a = live.n WHEN NOT MATCHED THEN INSERT VALUES (n)", "DROP TABLE t", "DROP VIEW live", "ALTER TABLE t ADD COLUMN b INTEGER", "BEGIN", "COMMIT", "ROLLBACK", "CHECKPOINT", "VACUUM", "ANALYZE", "COMMENT ON TABLE t IS 'x'",
	"PREPARE p AS SELECT 1", "EXECUTE p", "DEALLOCATE p", "SET VARIABLE x = 1", "RESET VARIABLE x",
}

func TestCheckReadOnlyRefusesWhatIsNoSelect(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openLive(t, dir)
	file := duck.Literal(filepath.Join(dir, "x.csv"))
	for _, statement := range statements {
		statement = strings.ReplaceAll(statement, "FILE", file)
		for _, text := range []string{
			statement, statement + ";", "SELECT 1; " + statement, statement + "; SELECT 1", "EXPLAIN " + statement, "EXPLAIN ANALYZE " + statement, "/* */ EXPLAIN ANALYZE " + statement, "EXPLAIN (ANALYZE) " + statement,
			"EXPLAIN (FORMAT json) " + statement, "EXPLAIN /**/ ANALYZE " + statement, "EXPLAIN EXPLAIN ANALYZE " + statement, "/* a /* b */ */ " + statement, "-- SELECT\n" + statement, "/* SELECT 1 */" + statement, "(" + statement + ")",
			"WITH a AS (SELECT 1) " + statement, "SELECT 1 /* ; */ ; " + statement, "SELECT ';' ; " + statement, "SELECT $$x$$; " + statement, "SELECT 1\x00; " + statement, "EXPLAIN SELECT 1; " + statement,
			"WITH a AS (" + statement + ") SELECT * FROM a", "WITH a AS MATERIALIZED (" + statement + " RETURNING *) SELECT * FROM a", "SELECT * FROM (" + statement + ")", "DESCRIBE " + statement, "SUMMARIZE " + statement,
		} {
			if err := s.CheckReadOnly(t.Context(), text); err == nil {
				t.Errorf("%s: no error", text)
			}
		}
		if err := s.CheckReadOnly(t.Context(), statement); !errors.Is(err, duck.ErrNotReadOnly) {
			t.Errorf("%s: %v", statement, err)
		}
	}
	for _, text := range []string{"", ";", "; SELECT 1", "SELECT 1 +", "SELECT nothing FROM live", "/* a /* b */ */ SELECT 1", "SELECT 1\xff", "PIVOT live ON t USING sum(n)", "FROM (PIVOT live ON t USING sum(n))"} {
		if err := s.CheckReadOnly(t.Context(), text); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
	unchanged(t, s, dir)
}

func TestWritesKnowsWhatTakesTablesElsewhere(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"COPY rated TO 'x.csv'": true, "SELECT 1; export database 'x'": true, "-- why\nCREATE TABLE x AS FROM rated": true, "INSERT INTO x FROM rated": true, "ATTACH 'x.db'": true, "EXPLAIN ANALYZE COPY rated TO 'x.csv'": true,
		"SELECT 'COPY'": false, "SELECT 1; SELECT 2": false, "SET threads = 1": false, "copying": false, "": false, "SELECT copy FROM rated": false,
	} {
		if got := duck.Writes(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

// unchanged looks for traces of statements that should not have been run.
func unchanged(t *testing.T, s *duck.Session, dir string) {
	t.Helper()
	var rows, sum, columns int
	err := s.Row(context.Background(), "SELECT (SELECT count(*) FROM t), (SELECT sum(n) FROM live), (SELECT count(*) FROM information_schema.columns)").Scan(&rows, &sum, &columns)
	if err != nil || rows != 0 || sum != 1 || columns != 4 {
		t.Errorf("%d rows in t, n = %d, %d columns, %v", rows, sum, columns, err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("files %v, %v", files, err)
	}
}

// elsewhere are relations that read something else than the session's tables, even
// though the session may read the folder. FILE stands for a file in it.
var elsewhere = []string{
	"FILE", `"DIR/secret.csv"`, `"DIR/secret".csv`, `"DIR"."secret"."csv"`, "'DIR/*.csv'", "'DIR/nothing.parquet'", "'DIR/secret.json'", "'/etc/passwd'", "'https://example.com/x.csv'", "'s3://bucket/x.parquet'", "'x.db'",
	"read_csv(FILE)", "READ_CSV(FILE)", `"read_csv"(FILE)`, "main.read_csv(FILE)", "system.main.read_csv(FILE)", "read_csv_auto(FILE)", "read_csv([FILE])", "read_csv('DIR/*')", "read_text(FILE)", "read_blob(FILE)", "read_json(FILE)", "read_json_auto(FILE)",
	"read_json_objects(FILE)", "read_ndjson(FILE)", "read_ndjson_objects(FILE)", "read_parquet(FILE)", "parquet_scan(FILE)", "parquet_metadata(FILE)", "parquet_schema(FILE)", "parquet_file_metadata(FILE)", "parquet_kv_metadata(FILE)", "parquet_full_metadata(FILE)",
	"parquet_bloom_probe(FILE, 'a', 1)", "sniff_csv(FILE)", "glob('DIR/*')", "read_duckdb(FILE)", "sqlite_scan(FILE, 'x')", "postgres_scan('', '', 'x')", "mysql_query('', 'x')", "iceberg_scan(FILE)", "delta_scan(FILE)", "st_read(FILE)", "read_xlsx(FILE)",
	"query('SELECT 1')", "query('FROM FILE')", "query_table(FILE)", "query_table('live')", "query_table(['live'])", "histogram(FILE, 'a')", "histogram(live, n)", "histogram_values(FILE, 'a')",
	"json_execute_serialized_sql(json_serialize_sql('SELECT 1'))", "arrow_scan(1, 2, 3)", "arrow_scan_dumb(1, 2, 3)", "seq_scan('live')", "sql_auto_complete('SEL')", "summary((FROM live))",
	"duckdb_settings()", "duckdb_secrets()", "duckdb_extensions()", "duckdb_logs()", "duckdb_logs", "duckdb_variables()", "duckdb_temporary_files()", "duckdb_views()", "duckdb_views", "duckdb_databases()", "duckdb_functions()", "duckdb_memory()", "which_secret('s3://x', 's3')",
	"pragma_version()", "pragma_database_size()", "pragma_storage_info('live')", "pragma_table_info('live')", "pragma_database_list", "pragma_user_agent()", "pragma_platform()", "enable_logging('QueryLog')", "disable_logging()", "truncate_duckdb_logs()", "checkpoint()", "force_checkpoint()",
	"sqlite_master", "pg_catalog.pg_settings", "pg_settings", "information_schema.views", "system.information_schema.columns", "memory.main.live", "recurring.live", "nowhere", "live.csv", "test_all_types()",
}

// reading are statements that read a relation, each in another place.
func reading(relation string) []string {
	return []string{
		"SELECT * FROM " + relation, "FROM " + relation, "EXPLAIN SELECT * FROM " + relation, "EXPLAIN ANALYZE SELECT * FROM " + relation, "DESCRIBE SELECT * FROM " + relation, "SUMMARIZE SELECT * FROM " + relation,
		"DESCRIBE " + relation, "SUMMARIZE " + relation, "TABLE " + relation, "FROM (DESCRIBE " + relation + ")",
		"SELECT (SELECT count(*) FROM " + relation + ")", "SELECT * FROM live AS l, " + relation, "SELECT * FROM live AS l LEFT JOIN " + relation + " ON true", "SELECT 1 WHERE EXISTS (FROM " + relation + ")", "SELECT n FROM live UNION ALL SELECT 1 FROM " + relation,
		"WITH a AS (FROM " + relation + ") SELECT 1", "WITH a AS MATERIALIZED (FROM " + relation + ") FROM a", "WITH a AS (SELECT 1) SELECT * FROM (FROM a, LATERAL (FROM " + relation + "))",
		"WITH RECURSIVE a AS (SELECT 1 x UNION ALL SELECT 2 FROM a, " + relation + ") FROM a", "WITH RECURSIVE a AS (SELECT 1 x FROM " + relation + " UNION ALL SELECT x FROM a) FROM a",
		"SELECT * FROM live ORDER BY (SELECT 1 FROM " + relation + ")", "SELECT * FROM live LIMIT (SELECT 1 FROM " + relation + ")", "SELECT n FROM live GROUP BY n HAVING n > (SELECT count(*) FROM " + relation + ")",
		"SELECT list_transform([(SELECT count(*) FROM " + relation + ")], x -> x + 1)", "SELECT CASE WHEN false THEN (SELECT 1 FROM " + relation + ") END", "PIVOT (FROM " + relation + ") ON t IN ('a') USING count(*)", "UNPIVOT (FROM " + relation + ") ON n INTO NAME k VALUE v",
		"SELECT sum(n) FILTER (WHERE n > (SELECT 0 FROM " + relation + ")) FROM live", "SELECT * FROM range((SELECT 1 FROM " + relation + "))", "VALUES ((SELECT 1 FROM " + relation + "))",
		"SELECT sum(n) OVER (ORDER BY (SELECT 1 FROM " + relation + ")) FROM live", "SELECT * FROM live JOIN other ON live.n = (SELECT 1 FROM " + relation + ")",
	}
}

func TestCheckReadOnlyRefusesWhatIsNotLive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openLive(t, dir)
	for _, text := range reading("live") {
		if err := s.CheckReadOnly(t.Context(), text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, relation := range elsewhere {
		relation = strings.NewReplacer("FILE", duck.Literal(filepath.Join(dir, "secret.csv")), "DIR", dir).Replace(relation)
		texts := reading(relation)
		for _, text := range texts {
			if err := s.CheckReadOnly(t.Context(), text); err == nil {
				t.Errorf("%s: no error", text)
			}
		}
		if err := s.CheckReadOnly(t.Context(), texts[0]); !errors.Is(err, duck.ErrNotLive) {
			t.Errorf("%s: %v", texts[0], err)
		}
	}
	unchanged(t, s, dir)
}

// A name that a WITH gives stands for its SELECT only where DuckDB sees it; anywhere
// else the name would be one of a file or of DuckDB's own tables.
func TestCheckReadOnlyKnowsWhereAWithIsSeen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openLive(t, dir)
	file := duck.Identifier(filepath.Join(dir, "secret.csv"))
	for _, text := range []string{
		"WITH FILE AS (SELECT * FROM FILE) SELECT * FROM FILE",
		"WITH RECURSIVE FILE AS (SELECT * FROM FILE UNION ALL SELECT * FROM FILE) SELECT * FROM FILE",
		"WITH a AS (FROM FILE), FILE AS (SELECT 1) SELECT * FROM a",
		"WITH a AS (FROM duckdb_views), duckdb_views AS (SELECT 1) SELECT * FROM a",
		"WITH duckdb_views AS (FROM duckdb_views) FROM duckdb_views",
		"WITH RECURSIVE duckdb_views AS (FROM duckdb_views UNION ALL FROM duckdb_views) FROM duckdb_views",
		"SELECT * FROM (WITH duckdb_views AS (SELECT 1) FROM duckdb_views), duckdb_views",
		"(WITH duckdb_views AS (SELECT 1) FROM duckdb_views) UNION ALL FROM duckdb_views",
		"WITH csv AS (SELECT 1) SELECT * FROM " + duck.Identifier(filepath.Join(dir, "secret")) + ".csv",
		"WITH columns AS (SELECT 1) FROM pg_catalog.columns",
	} {
		if err := s.CheckReadOnly(t.Context(), strings.ReplaceAll(text, "FILE", file)); !errors.Is(err, duck.ErrNotLive) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A parameter stands for a value. What it stands for is no part of the statement when that
// is looked at: so none may stand for a name, a file or a statement.
func TestParametersStandForValuesAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openLive(t, dir)
	for _, text := range []string{
		"SELECT * FROM live WHERE t = $account", "EXPLAIN SELECT * FROM live WHERE t = $account", "EXPLAIN ANALYZE SELECT n FROM live WHERE t = $account", "DESCRIBE SELECT $account AS a", "SUMMARIZE SELECT n FROM live WHERE t = $account",
		"SELECT n FROM live LIMIT $period", "WITH a AS (SELECT $period AS p) FROM a, live WHERE t <> p", "SELECT * FROM range(CAST($period AS BIGINT))", "VALUES ($period, $account)", "SELECT list_transform([t], x -> x || $account) FROM live",
	} {
		if err := s.CheckReadOnly(t.Context(), text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{
		"SELECT * FROM $account", "FROM $account", "TABLE $account", "DESCRIBE $account", "SELECT * FROM IDENTIFIER($account)", "SELECT * FROM TABLE($account)", "SELECT * FROM query($account)", "SELECT * FROM query_table($account)",
		"SELECT * FROM query_table([$account])", "SELECT * FROM read_csv($account)", "SELECT * FROM read_text($account)", "SELECT * FROM read_parquet([$account])", "SELECT * FROM glob($account)", "SELECT * FROM sniff_csv($account)",
		"SELECT current_setting($account)", "SELECT getenv($account)", "SELECT getvariable($account)", "SELECT nextval($account)", "SELECT json_serialize_plan($account)", "COPY live TO $account", "COPY (SELECT $period) TO 'x.csv'",
		"EXPLAIN ANALYZE COPY live TO $account", "ATTACH $account", "SET memory_limit = $account", "CALL pragma_table_info($account)", "PREPARE p AS SELECT $period", "EXECUTE p($period)", "INSERT INTO t SELECT $period", "SELECT $period; SELECT $account",
		"SELECT json_execute_serialized_sql($account)", "FROM json_execute_serialized_sql($account)",
	} {
		if err := s.CheckReadOnly(t.Context(), text); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
	unchanged(t, s, dir)
}

func TestCheckReadOnlyRefusesFunctionsThatLookElsewhere(t *testing.T) {
	t.Parallel()
	s := openLive(t, t.TempDir())
	for _, call := range []string{
		"current_setting('temp_directory')", "CURRENT_SETTING('home_directory')", `"current_setting"('threads')`, "main.current_setting('threads')", "'threads'.current_setting()", "getenv('HOME')", "getvariable('x')",
		"json_serialize_plan('FROM ''/etc/passwd''')", "write_log('x')", "pg_get_viewdef(1)", "pg_catalog.pg_get_viewdef(1)", "nextval('x')", "currval('x')", "stats(1)",
	} {
		for _, text := range []string{"SELECT " + call, "SELECT n FROM live WHERE " + call + " IS NULL", "SELECT list_transform(['a'], x -> " + call + ")", "FROM range(length(" + call + "::VARCHAR))", "EXPLAIN SELECT " + call} {
			if err := s.CheckReadOnly(t.Context(), text); err == nil {
				t.Errorf("%s: no error", text)
			}
		}
	}
	for _, text := range []string{"SHOW DATABASES", "SHOW memory_limit", "SHOW VARIABLES", "SHOW TABLES FROM memory", "FROM (SHOW DATABASES)"} {
		if err := s.CheckReadOnly(t.Context(), text); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}

// Functions whose result is not made of their arguments alone, of the DuckDB in use:
// a new one has to be looked at, and refused if it tells of the machine or writes.
func TestFunctionsWithSideEffectsAreKnown(t *testing.T) {
	t.Parallel()
	s := openLive(t, t.TempDir())
	var names string
	err := s.Row(t.Context(), `SELECT string_agg(DISTINCT function_name, ' ' ORDER BY function_name) FROM duckdb_functions()
		WHERE function_type IN ('scalar', 'aggregate', 'macro') AND (stability <> 'CONSISTENT' OR has_side_effects)`).Scan(&names)
	const known = "current_connection_id current_database current_date current_query current_query_id current_schema current_schemas current_transaction_id currval error gen_random_uuid get_current_time " +
		"get_current_timestamp in_search_path nextval now random setseed sleep_ms stats today transaction_timestamp txid_current uuid uuidv4 uuidv7 write_log"
	if err != nil || names != known {
		t.Errorf("%v, the functions are\n%s", err, names)
	}
}

func FuzzCheckReadOnly(f *testing.F) {
	dir := f.TempDir()
	s := openLive(f, dir)
	for _, text := range queries {
		f.Add(text)
	}
	for _, relation := range elsewhere {
		f.Add("SELECT * FROM " + strings.NewReplacer("FILE", "'secret.csv'", "DIR", ".").Replace(relation))
	}
	for _, statement := range statements {
		f.Add("EXPLAIN ANALYZE " + strings.ReplaceAll(statement, "FILE", "'x.csv'"))
	}
	// What is let through can be run without a file being named or written: every
	// file of the session is one of its own making, and none holds the word.
	f.Fuzz(func(t *testing.T, text string) {
		if s.CheckReadOnly(t.Context(), text) != nil {
			return
		}
		var plan string
		_ = s.Row(t.Context(), "SELECT CAST(json_serialize_sql("+duck.Literal(text)+") AS VARCHAR)").Scan(&plan) // an EXPLAIN has none
		for _, word := range []string{`"function_name":"read_`, `"table_name":"secret`, `"function_name":"query`, `"function_name":"glob"`, `"function_name":"arrow_scan`} {
			if strings.Contains(strings.ToLower(plan), word) {
				t.Errorf("%q was let through", text)
			}
		}
		unchanged(t, s, dir)
	})
}

// openLive opens a session with the views live and other, and a table t without
// rows, that may read and write dir, in which a secret lies.
func openLive(t testing.TB, dir string) *duck.Session {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "secret.csv"), []byte("a\nsecret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := duck.Open(context.Background(), duck.Options{Memory: "500MB", Threads: 1, Folders: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, statement := range []string{
		"CREATE TEMP VIEW live AS SELECT 1 AS n, 'a' AS t", "CREATE TEMP VIEW other AS SELECT 1 AS n", "CREATE TEMP TABLE t (a INTEGER)",
	} {
		if err := s.Exec(context.Background(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return s
}
