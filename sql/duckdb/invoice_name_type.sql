-- An ENUM of the names that a column of the period's calls has, in their order. Sorting and carrying a number in place
-- of a text makes the sort of the calls cheaper than that of the bare rows, and the reader needs no text but the id.
CREATE TYPE {{ident .Type}} AS ENUM (
  SELECT DISTINCT {{ident .Column}} FROM rated WHERE held IS NULL AND {{ident .Column}} IS NOT NULL ORDER BY 1
)
