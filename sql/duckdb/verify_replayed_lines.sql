-- What the replay of a re-rating charged before a period: of replayed periods each invoice with its notes is what the
-- replay made of it; of those before, documents count as they were issued.
SELECT account, sum(amount) AS amount
FROM (
  SELECT l.account, l.kind, l.item, l."from", l."to", l.amount
  FROM labelled_lines AS l
  JOIN all_documents AS d ON d.number = l.number
  WHERE d.run <= {{.Run}} AND (d.in_period < {{literal .First}} OR (d.of_period >= {{literal .First}} AND d.of_period < {{literal .Before}}))
)
GROUP BY account, kind, item, "from", "to"
