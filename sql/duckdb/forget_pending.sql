-- How many voided calls of a name wait for a re-rate, and the time of the first.
SELECT count(*), min("time") FROM forget_voided WHERE void_pending AND {{ident .Column}} = {{literal .Name}}
