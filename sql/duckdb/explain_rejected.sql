-- Records that are no calls: copies of a call ($1) of an account ($2) that stands at
-- an object ($3) and line ($4), or the call itself, taken back; and, where no call is
-- known ($2 empty), records whose text has the id in it.
SELECT source, object, line, reason, detail, raw
FROM explain_rejected
WHERE CASE
    WHEN $2 = '' THEN contains(raw, $1) OR contains(detail, concat('call ', $1, ' of account '))
    ELSE detail = concat('the event is that of ', $3, ' line ', CAST($4 AS BIGINT))
        OR starts_with(detail, concat('another copy of call ', $1, ' of account ', $2, ' '))
        OR object = $3 AND line = CAST($4 AS BIGINT) AND starts_with(detail, concat('call ', $1, ' of account ', $2, ' '))
END
ORDER BY object, line
LIMIT 200
