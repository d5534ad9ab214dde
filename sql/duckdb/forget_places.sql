-- Where voided calls of whom a forget makes nameless stand in raw objects.
CREATE OR REPLACE TEMP TABLE forget_places AS
SELECT DISTINCT source, object, line FROM forget_voided WHERE {{ident .Column}} = {{literal .Name}}
