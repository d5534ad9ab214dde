package main

import (
	"slices"
	"strings"

	"github.com/creditmill/creditmill/sql"
)

// questionText is the statement of a ready question.
func questionText(name string) (string, error) {
	names := sql.Names("questions")
	if !slices.Contains(names, name) {
		return "", usagef("there is no question %s; the questions are %s", printable(name), strings.Join(names, ", "))
	}
	return sql.Text("questions/" + name), nil
}

// A questionDocument is a ready question in the list of them.
type questionDocument struct {
	Name  string   `json:"name"`
	Takes []string `json:"takes"` // its parameters
	About string   `json:"about"`
}

func readyQuestions() []questionDocument {
	list := []questionDocument{}
	for _, name := range sql.Names("questions") {
		text := sql.Text("questions/" + name)
		takes := []string{}
		for _, parameter := range []string{periodParameter, accountParameter} {
			if strings.Contains(text, "$"+parameter) {
				takes = append(takes, parameter)
			}
		}
		list = append(list, questionDocument{name, takes, firstComment(text)})
	}
	return list
}

// firstComment is the first line of the comment that a statement begins with.
func firstComment(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimSpace(strings.TrimLeft(line, "-"))
}

func (a *app) listQuestions() error {
	list := readyQuestions()
	if a.json {
		return a.print(map[string]any{"questions": list})
	}
	a.printf("%s", questionGrid(list, "--"))
	return nil
}

func questionGrid(list []questionDocument, dash string) *grid {
	g := newGrid("question", "takes", "about")
	for _, q := range list {
		takes := make([]string, len(q.Takes))
		for i, name := range q.Takes {
			takes[i] = dash + name
		}
		g.add(q.Name, strings.Join(takes, " "), q.About)
	}
	return g
}
