-- Keys of objects and names of sources as enumerations, in the order of their
-- bytes: while a day is sorted they are small numbers, and Parquet has texts again.
DROP TABLE IF EXISTS ingest_name;
DROP TYPE IF EXISTS ingest_object_key;
DROP TYPE IF EXISTS ingest_source_name;
CREATE TYPE ingest_object_key AS ENUM (SELECT DISTINCT object FROM ingest_object ORDER BY object);
CREATE TYPE ingest_source_name AS ENUM (SELECT DISTINCT source FROM ingest_object ORDER BY source);
CREATE TEMP TABLE ingest_name AS
SELECT number, CAST(object AS ingest_object_key) AS object, CAST(source AS ingest_source_name) AS source
FROM ingest_object
WHERE kept
