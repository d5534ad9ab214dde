-- What was alerted in the period before, so that the period does not alert it again.
SELECT account, kind, threshold, cycle_start, "at", usage, balance FROM prior_alerts ORDER BY account, "at"
