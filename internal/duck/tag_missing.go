//go:build !duckdb_arrow

package duck

// The driver has its Arrow interface only under the build tag duckdb_arrow, and without it nothing here works.
// The name below is declared nowhere: it is what the compiler prints to whoever builds without the tag.
var _ = build_creditmill_with_the_tag_duckdb_arrow__run_make_build
