-- The first and last time of a file just written; its footer knows them.
SELECT min("time"), max("time") FROM read_parquet({{literal .Path}})
