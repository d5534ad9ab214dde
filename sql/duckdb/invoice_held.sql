-- Whether any usage of the period is held, or was when the cut moved it on.
SELECT EXISTS (SELECT 1 FROM rated WHERE held IS NOT NULL) OR EXISTS (SELECT 1 FROM left_behind)
