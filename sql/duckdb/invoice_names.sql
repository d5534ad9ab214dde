-- The names of such a type in their order: the one with number n is the n-th, from 0.
SELECT unnest(enum_range(CAST(NULL AS {{ident .Type}}))) AS name
