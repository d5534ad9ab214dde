package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/jobs"
)

func (a *app) tablesCommand() *cobra.Command {
	var markdown bool
	cmd := &cobra.Command{
		Use:   "tables [NAME]",
		Short: "What tables and views there are, and what each column means",
		Long: "List the tables and views that `query` reads; with NAME show one: what a row is, its key, its columns with type,\n" +
			"unit, when each may be NULL, meaning and an example, how it joins, and what changes it.\n\n" +
			"With a configuration, the dimensions and quantities of its lake are among the columns.",
		Example: "  creditmill tables rated",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if markdown {
				if len(args) > 0 {
					return usagef("--markdown prints all tables: leave out %s", args[0])
				}
				a.printf("%s", jobs.DictionaryPage())
				return nil
			}
			dynamic, err := a.dynamicColumns(cmd.Context(), cmd.Flags().Changed("config"))
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return a.printTables(jobs.Dictionary(dynamic))
			}
			described, ok := jobs.Describe(args[0], dynamic)
			if !ok {
				return usagef("there is no table or view %s; `creditmill tables` lists them", args[0])
			}
			return a.printTable(described)
		},
	}
	cmd.Flags().BoolVar(&markdown, "markdown", false, "print the whole dictionary, docs/tables.md")
	return cmd
}

// dynamicColumns are the dimensions and quantities of the lake; none where there is no
// configuration and none was asked for.
func (a *app) dynamicColumns(ctx context.Context, asked bool) ([]lake.Column, error) {
	if _, err := os.Stat(a.config); errors.Is(err, fs.ErrNotExist) && !asked {
		return nil, nil
	}
	m, done, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return m.Lake.State().Columns, nil
}

func (a *app) printTables(all []jobs.Described) error {
	if a.json {
		documents := make([]tableJSON, len(all))
		for i, d := range all {
			documents[i] = tableDocument(d)
		}
		return a.print(map[string]any{"tables": documents})
	}
	a.printf("%s", tablesGrid(all))
	a.printf("\n`creditmill tables NAME` shows the columns of one.\n")
	return nil
}

// tablesGrid lists tables and views with a line each.
func tablesGrid(all []jobs.Described) *grid {
	g := newGrid("table", "kind", "partition", "what it is")
	for _, d := range all {
		g.add(d.Name, d.Kind, d.Partition, plainText(d.About))
	}
	return g
}

func (a *app) printTable(d jobs.Described) error {
	if a.json {
		return a.print(tableDocument(d))
	}
	a.printf("%s: %s\n\n", d.Name, plainText(d.About))
	for _, fact := range d.Facts() {
		for i, line := range wrap(plainText(fact.Says), textWidth) {
			if i > 0 {
				fact.What = ""
			}
			a.printf("  %-15s  %s\n", fact.What, line)
		}
	}
	if d.Note != "" {
		a.printf("\n  %s\n", strings.Join(wrap(plainText(d.Note), noteWidth), "\n  "))
	}
	a.printf("\n%s", columnsGrid(d))
	for i, join := range d.Joins() {
		if i == 0 {
			a.printf("\nJoins\n")
		}
		line := fmt.Sprintf("%s to %s on %s", join.From, join.To, join.On)
		if join.OnlyNote != "" {
			line += " (" + join.OnlyNote + ")"
		}
		a.printf("  %s\n", strings.Join(wrap(plainText(line), noteWidth), "\n    "))
	}
	return nil
}

// How wide texts of the dictionary are on a terminal, in characters.
const (
	textWidth    = 103
	noteWidth    = 118
	meaningWidth = 56
	nullWidth    = 24
	exampleWidth = 36
)

// wrap breaks a text between words into lines of at most width characters, or of one
// word; at least one line.
func wrap(text string, width int) []string {
	lines := []string{""}
	for _, word := range strings.Fields(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(word) > width:
			lines = append(lines, word)
		default:
			*last += " " + word
		}
	}
	return lines
}

// columnsGrid lists the columns of a table or view.
func columnsGrid(d jobs.Described) *grid {
	g := newGrid("column", "type", "unit", "null", "meaning", "example") // a long text goes over several rows
	for _, c := range d.Columns {
		meaning := c.Meaning
		if len(c.Values) > 0 {
			meaning += ": " + strings.Join(c.Values, ", ")
		}
		head := []string{c.Name, c.Type, c.Unit, short(c.Example, exampleWidth)}
		nulls, meanings := wrap(plainText(c.Null), nullWidth), wrap(plainText(meaning), meaningWidth)
		for i := range max(len(nulls), len(meanings)) {
			g.add(head[0], head[1], head[2], lineOf(nulls, i), lineOf(meanings, i), head[3])
			clear(head)
		}
	}
	return g
}

func lineOf(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

var markdownLink = regexp.MustCompile(`\[([^\]]*)\]\(([^)]*)\)`)

// plainText is a text of the dictionary, which is in Markdown, for a terminal.
func plainText(text string) string {
	text = markdownLink.ReplaceAllStringFunc(text, func(link string) string {
		m := markdownLink.FindStringSubmatch(link)
		if strings.HasPrefix(m[2], "#") {
			return m[1]
		}
		return m[1] + " (docs/" + m[2] + ")"
	})
	return strings.ReplaceAll(text, "`", "")
}

// A tableJSON is a table or view as `tables --json` prints it.
type tableJSON struct {
	Name      string       `json:"name"`
	Kind      string       `json:"kind"`
	About     string       `json:"about"`
	Row       string       `json:"row"`
	Key       []string     `json:"key"`
	KeyNote   string       `json:"key_note,omitempty"`
	Partition string       `json:"partition,omitempty"`
	Order     []string     `json:"order,omitempty"`
	Changes   string       `json:"changes"`
	Note      string       `json:"note,omitempty"`
	Columns   []columnJSON `json:"columns"`
	Joins     []joinJSON   `json:"joins"`
}

// A columnJSON is one of its columns.
type columnJSON struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Unit     string   `json:"unit,omitempty"`
	Null     string   `json:"null,omitempty"` // when it may be; absent: never
	Nullable bool     `json:"nullable"`
	Meaning  string   `json:"meaning"`
	Values   []string `json:"values,omitempty"`
	Example  string   `json:"example"`
}

// A joinJSON is a join that the table is part of.
type joinJSON struct {
	From  string `json:"from"`
	To    string `json:"to"`
	On    string `json:"on"`
	Only  string `json:"only,omitempty"` // which rows of from have a partner; absent: all
	Query string `json:"query"`
}

func tableDocument(d jobs.Described) tableJSON {
	document := tableJSON{
		Name: d.Name, Kind: d.Kind, About: plainText(d.About), Row: plainText(d.Row), Key: d.Key, KeyNote: plainText(d.KeyNote),
		Partition: d.Partition, Order: d.Order, Changes: plainText(d.Changes), Note: plainText(d.Note), Columns: []columnJSON{}, Joins: []joinJSON{},
	}
	if document.Key == nil {
		document.Key = []string{}
	}
	for _, c := range d.Columns {
		document.Columns = append(document.Columns, columnJSON{
			Name: c.Name, Type: c.Type, Unit: c.Unit, Null: plainText(c.Null), Nullable: c.Null != "", Meaning: plainText(c.Meaning), Values: c.Values, Example: c.Example,
		})
	}
	for _, j := range d.Joins() {
		document.Joins = append(document.Joins, joinJSON{From: j.From, To: j.To, On: plainText(j.On), Only: j.Only, Query: j.Statement()})
	}
	return document
}
