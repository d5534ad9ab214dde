-- Numbers are without gaps: in each series they count from 1 (SPEC section 7, Invoice lines). A number that is of no
-- series of its run's configuration has no place in one.
WITH placed AS (
  SELECT
    d.number, coalesce(s.starts || '{seq}' || s.ends, 'none') AS series,
    CASE
      WHEN starts_with(d.number, s.starts) AND ends_with(d.number, s.ends)
        THEN TRY_CAST(substr(d.number, length(s.starts) + 1, length(d.number) - length(s.starts) - length(s.ends)) AS BIGINT)
    END AS seq
  FROM all_documents AS d
  LEFT JOIN series AS s ON s.run = d.run AND s.kind = d.kind
)
SELECT series, count(*) AS documents, count(seq) AS numbered, count(DISTINCT seq) AS apart, min(seq) AS first, max(seq) AS last
FROM placed
GROUP BY series
HAVING count(seq) <> count(*) OR count(DISTINCT seq) <> count(*) OR min(seq) <> 1 OR max(seq) <> count(*)
