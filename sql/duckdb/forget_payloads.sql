-- The payloads of the account events of a name.
SELECT DISTINCT payload FROM forget_events WHERE account = {{literal .Name}}
