-- Whether a view has rows of an account.
SELECT EXISTS (SELECT 1 FROM {{ident .}} WHERE account = $1)
