-- Rates calls: which version of which price table is in force, which of its
-- rules matches first, what that charges, and why a call is held.
-- One pure SELECT over usage_posted and opened_accounts, for DuckDB and Trino.
WITH
versioned AS ( -- the version in force at the call's own time, by a number of this statement
  SELECT u.*,
{{- range .Numbers}}
    -- the number that the text is, where it is one: plain digits, as JSON writes them. A whole number goes by BIGINT, which is much faster.
    CASE
      WHEN CAST(TRY_CAST({{.Text}} AS BIGINT) AS VARCHAR) = {{.Text}} THEN CAST(TRY_CAST({{.Text}} AS BIGINT) AS DECIMAL(38,18))
      WHEN translate({{.Text}}, '0123456789', '') IN ('', '.', '-', '-.')
        AND {{.Text}} NOT LIKE '.%' AND {{.Text}} NOT LIKE '-.%' AND {{.Text}} NOT LIKE '%.' AND {{.Text}} NOT LIKE '_%-%'
        AND ({{.Text}} NOT LIKE '0_%' OR {{.Text}} LIKE '0.%') AND ({{.Text}} NOT LIKE '-0_%' OR {{.Text}} LIKE '-0.%')
        THEN TRY_CAST({{.Text}} AS DECIMAL(38,18))
    END AS {{.Number}},
{{- end}}
    {{if .Versions}}CASE
{{- range .Versions}}
      {{.}}
{{- end}}
    END{{else}}CAST(NULL AS INTEGER){{end}} AS _version
  FROM usage_posted AS u
),
matched AS ( -- the first rule that matches
  SELECT versioned.*,
    {{if .Rules}}CASE
{{- range .Rules}}
      {{.}}
{{- end}}
    END{{else}}CAST(NULL AS INTEGER){{end}} AS _rule
  FROM versioned
),
priced AS ( -- its price, rounded once; NULL where there is none
  SELECT matched.*,
    {{if .Formulas}}CASE
{{- range .Formulas}}
      {{.}}
{{- end}}
    END{{else}}CAST(NULL AS DECIMAL(18,6)){{end}} AS _credits
  FROM matched
),
judged AS ( -- why the call is held, if it is
  SELECT priced.*,
    CASE
      WHEN _rule IS NULL THEN 'no_rule'
      WHEN _credits IS NULL THEN {{if .Faults}}CASE
{{- range .Faults}}
        {{.}}
{{- end}}
      END{{else}}'no_rule'{{end}}
{{- if .Opened}}
      WHEN account NOT IN (SELECT account FROM opened_accounts WHERE opened_at < {{.Opened}}) THEN 'account_not_opened'
{{- end}}
    END AS _held
  FROM priced
)
SELECT
  {{.Fixed}},
  posted_at, late,
  CAST({{if .Tables}}CASE{{range .Tables}} {{.}}{{end}} END{{else}}NULL{{end}} AS VARCHAR) AS price_table,
  CAST({{if .Numbered}}CASE{{range .Numbered}} {{.}}{{end}} END{{else}}NULL{{end}} AS INTEGER) AS price_version,
  CAST(_rule AS INTEGER) AS rule,
  CASE WHEN _held IS NULL THEN _credits ELSE CAST('0' AS DECIMAL(18,6)) END AS credits,
  CAST(_held AS VARCHAR) AS held
{{- range .Dynamic}},
  {{ident .}}
{{- end}}
FROM judged
