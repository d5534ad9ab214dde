-- What all buckets held at the month's start, what moved it, and what they hold at its end,
-- or as far as the open month was burned down: opening + granted = burned + expired +
-- voided + rolled_out + remaining. What rolls over is in rolled_out, and again in granted.
SELECT
  sum(opening) AS opening, sum(granted) AS granted, sum(burned) AS burned, sum(expired) AS expired, sum(voided) AS voided,
  sum(rolled_out) AS rolled_out, sum(remaining) AS remaining
FROM balances WHERE period = $period HAVING count(*) > 0
