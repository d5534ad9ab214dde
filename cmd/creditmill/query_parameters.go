package main

import (
	stdsql "database/sql"
	"maps"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/duck"
)

// The parameters that a statement of `query` may have, and that flags of their names give.
const (
	periodParameter  = "period"
	accountParameter = "account"
)

// values are what parameters stand for, by their names.
type values map[string]string

// bind are the arguments of a query. A parameter that is not given, or that cannot be
// given, is an error; dash is what stands before the name of the flag, or of the command
// of a session, that gives it.
func (v values) bind(query duck.Query, dash string) (args []any, err error) {
	for _, written := range query.Parameters {
		name := strings.ToLower(written)
		value, given := v[name]
		switch {
		case name != periodParameter && name != accountParameter:
			return nil, usagef("the statement has the parameter %s: a query may use $%s and $%s", printable(dollar(written)), periodParameter, accountParameter)
		case !given:
			return nil, usagef("the statement uses %s: say which with %s%s", dollar(written), dash, name)
		}
		args = append(args, stdsql.Named(written, value))
	}
	return args, nil
}

// unused is an error where one of the values is none of the parameters of the queries: a
// filter that is passed over would be a wrong answer.
func (v values) unused(queries ...duck.Query) error {
	for _, name := range slices.Sorted(maps.Keys(v)) {
		uses := func(query duck.Query) bool {
			return slices.ContainsFunc(query.Parameters, func(p string) bool { return strings.EqualFold(p, name) })
		}
		if !slices.ContainsFunc(queries, uses) {
			return usagef("--%s is given, but nothing that is asked uses $%s: the answer would not be of that %s alone", name, name, name)
		}
	}
	return nil
}

// dollar is a parameter as a statement has it.
func dollar(name string) string {
	if name != "" && strings.Trim(name, "0123456789") == "" {
		return "? or $" + name
	}
	return "$" + name
}
