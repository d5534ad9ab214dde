-- The content of an object ($2) of a source ($1) that a run ($3) read.
SELECT identity FROM explain_objects WHERE source = $1 AND object = $2 AND run = $3 LIMIT 1
