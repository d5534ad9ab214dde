-- Rates calls: which version of which price table is in force, which of its
-- rules matches first, what that charges, and why a call is held.
-- One pure SELECT over usage_posted and opened_accounts, for DuckDB and Trino.
{{- define "case"}}
{{- if .}}CASE
{{- range .}}
      {{.}}
{{- end}}
    END{{else}}CAST(NULL AS INTEGER){{end}}
{{- end}}
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
{{- if .Operations}}
    array_position({{.Operations}}, operation) AS _operation, -- NULL or 0 where no rule names it
{{- end}}
    {{if .Versions}}CASE
{{- range .Versions}}
      {{.}}
{{- end}}
    END{{else}}CAST(NULL AS INTEGER){{end}} AS _version
  FROM usage_posted AS u
),
{{- if .Places}}
placed AS ( -- where the text by which a long table is looked up stands in its list
  SELECT versioned.*,
    CASE
{{- range .Places}}
      {{.}}
{{- end}}
    END AS _place
  FROM versioned
),
searched AS ( -- the first rule that matches of those tried one by one, and of those looked up
  SELECT placed.*,
    {{template "case" .Tried}} AS _tried,
    {{template "case" .Found}} AS _found
  FROM placed
),
{{- end}}
matched AS ( -- the first rule that matches
{{- if .Places}}
  SELECT searched.*, CASE WHEN _tried < _found OR _found IS NULL THEN _tried ELSE _found END AS _rule
  FROM searched
{{- else}}
  SELECT versioned.*,
    {{template "case" .Tried}} AS _rule
  FROM versioned
{{- end}}
),
{{- if .Orders}}
ordered AS ( -- the rule's place where rules of one formula stand together
  SELECT matched.*,
    {{template "case" .Orders}} AS _order
  FROM matched
),
{{- end}}
priced AS ( -- its price, rounded once; NULL where there is none
  SELECT {{$before := "matched"}}{{if .Orders}}{{$before = "ordered"}}{{end}}{{$before}}.*,
    {{if .Formulas}}CASE
{{- range .Formulas}}
      {{.}}
{{- end}}
    END{{else}}CAST(NULL AS DECIMAL(18,6)){{end}} AS _credits
  FROM {{$before}}
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
{{- range .Beside}},
  {{ident .}}
{{- end}}
FROM judged
