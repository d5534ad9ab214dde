package jobs

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/yamlfile"
	"github.com/creditmill/creditmill/rate/price"
)

// draftBooks are the configuration's prices with each draft laid over them, or alone
// if there are no drafts. A draft stands beside the configuration's versions as if it
// were among their files, or in the place of the one whose table and number it has.
func (m *Mill) draftBooks(drafts []string) ([]draftBook, error) {
	if len(drafts) == 0 {
		return []draftBook{{book: m.Prices}}, nil
	}
	declared, err := source.Columns(nil, m.Sources...)
	if err != nil {
		return nil, ConfigError{err}
	}
	var books []draftBook
	for _, name := range drafts {
		book, err := m.draftBook(name, declared)
		if err != nil {
			return nil, err
		}
		books = append(books, draftBook{name, book})
	}
	return books, nil
}

func (m *Mill) draftBook(name string, declared []lake.Column) (*price.Book, error) {
	content, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, ConfigError{fmt.Errorf("there is no price file %s", name)}
	}
	if err != nil {
		return nil, ConfigError{fmt.Errorf("read a price file: %w", err)}
	}
	draft := price.File{Name: name, Content: content}
	var problems yamlfile.Problems
	versions := price.Parse([]price.File{draft}, declared, &problems).Versions()
	if err := problems.Err(); err != nil {
		return nil, ConfigError{err}
	}
	if len(versions) == 0 {
		return nil, ConfigError{fmt.Errorf("%s holds no version of a price table", name)}
	}
	files := convert(m.Config.Prices, func(f config.File) price.File { return price.File{Name: f.Name, Content: f.Content} })
	if former := m.Prices.Find(versions[0].Table, versions[0].Version); former != nil {
		files = slices.DeleteFunc(files, func(f price.File) bool { return f.Name == former.File })
	}
	book := price.Parse(append(files, draft), declared, &problems)
	if err := problems.Err(); err != nil {
		return nil, ConfigError{err}
	}
	return book, nil
}
